-- GETs one address with the token.
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "none")
done = function(summary, latency, requests)
  io.write(string.format("p999_us %d\np99_us %d\np50_us %d\nerrors %d\n", latency:percentile(99.9), latency:percentile(99), latency:percentile(50),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
