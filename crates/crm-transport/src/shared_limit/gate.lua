-- The beginning of every script: the gate by the server's clock, in microseconds; pauses are in
-- milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local gate = redis.call('HMGET', KEYS[1], 'next', 'closed_until', 'closed_at', 'pause', 'extra')
local planned, closed_until = tonumber(gate[1]) or now, tonumber(gate[2]) or now
local last_pause, extra = tonumber(gate[4]) or 0, tonumber(gate[5])
if (tonumber(gate[3]) or now) > now then
  closed_until, last_pause = now, 0 -- It was closed in the past: the clock was set back.
end

