-- Asks for one unit after another at random, so that no answer is there already. WHAT: unit, list, score or put.
local token, units, what = os.getenv("TOKEN"), tonumber(os.getenv("UNITS")), os.getenv("WHAT")
local headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
local file = io.open(os.getenv("SHEET"))
local before, after = file:read("*a"):match('^(.-"organs": )%d+(.*)$')
file:close()
local years, count = tonumber(os.getenv("YEARS")), 0
request = function()
  local unit = 1000000000 + math.random(0, units - 1)
  local year = 2010 + math.random(0, years - 1)
  if what == "unit" then return wrk.format("GET", "/api/v1/units/" .. unit, headers) end
  if what == "list" then return wrk.format("GET", "/api/v1/units?limit=100&cursor=" .. unit, headers) end
  if what == "score" then return wrk.format("GET", "/api/v1/units/" .. unit .. "/evaluations/" .. year .. "/score", headers) end
  count = count + 1
  return wrk.format("PUT", "/api/v1/units/" .. unit .. "/evaluations/" .. year .. "/base-data", headers, before .. count .. after)
end
done = function(summary, latency, requests)
  io.write(string.format("p999_us %d\np99_us %d\np50_us %d\nerrors %d\n", latency:percentile(99.9), latency:percentile(99), latency:percentile(50),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
