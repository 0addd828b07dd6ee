-- For wrk: POST bodies with a running number, and a summary as one line of JSON. Arguments: the body before the number, the
-- body behind it, the first number. One thread, so each number is sent once.
local before, behind, number

function init(args)
  before, behind, number = args[1], args[2], tonumber(args[3]) - 1
end

function request()
  number = number + 1
  return wrk.format("POST", nil, nil, before .. string.format("%09d", number) .. behind)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nSUMMARY {"requests":%d,"microseconds":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
