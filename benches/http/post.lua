-- POSTs a complete unit-year to the stateless preview.
local function read(name)
  local file = io.open(os.getenv("BENCH_DIR") .. "/" .. name)
  local text = file:read("*a")
  file:close()
  return text
end
wrk.method = "POST"
wrk.body = '{"scheme":"hunan-2019","base_data":' .. read("base-data.json") .. ',"assessments":' .. read("assessments.json") .. "}"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
done = function(summary, latency, requests)
  io.write(string.format("p999_us %d\np99_us %d\np50_us %d\nerrors %d\n", latency:percentile(99.9), latency:percentile(99), latency:percentile(50),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
