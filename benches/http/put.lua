-- PUTs base data sheets of which each differs from the one before it of its unit, so that each is a real change. They are written
-- beforehand: what the client does takes from what the server is measured with.
local file = io.open(os.getenv("BENCH_DIR") .. "/base-data.json")
local sheet = file:read("*a")
file:close()
local before, after = sheet:match('^(.-"organs": )%d+(.*)$')
local headers = { ["Authorization"] = "Bearer " .. os.getenv("TOKEN"), ["Content-Type"] = "application/json" }
local units, each = 1000, 3
local requests, count = {}, 0
init = function()
  for n = 0, units * each - 1 do
    local unit = 100000 + n % units
    requests[n] = wrk.format("PUT", "/api/v1/units/" .. unit .. "/evaluations/2019/base-data", headers, before .. n .. after)
  end
end
request = function()
  count = (count + 1) % (units * each)
  return requests[count]
end
done = function(summary, latency, requests)
  io.write(string.format("p999_us %d\np99_us %d\np50_us %d\nerrors %d\n", latency:percentile(99.9), latency:percentile(99), latency:percentile(50),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
