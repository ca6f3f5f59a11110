-- PUTs a base data sheet that differs from request to request, so that each one is a real change.
local file = io.open(os.getenv("BENCH_DIR") .. "/base-data.json")
local sheet = file:read("*a")
file:close()
local before, after = sheet:match('^(.-"organs": )%d+(.*)$')
local token = os.getenv("TOKEN")
local count = 0
request = function()
  count = (count + 1) % 1000000
  local unit = 100000 + count % 1000
  return wrk.format("PUT", "/api/v1/units/" .. unit .. "/evaluations/2019/base-data",
    { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }, before .. count .. after)
end
local refused = 0
response = function(status) if status >= 300 then refused = refused + 1 end end
done = function(summary, latency, requests)
  io.write(string.format("p999_us %d\np99_us %d\np50_us %d\nerrors %d\n", latency:percentile(99.9), latency:percentile(99), latency:percentile(50),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
