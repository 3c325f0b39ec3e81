-- Reserves places as far ahead as allowed, as many as are wanted. A place that is taken narrows
-- the spacing, as an answer does within a process. A gate that was idle is forgotten, with what it
-- learned.
--
-- Answers how many places there are, how long until the first (or until it is worth asking
-- again), how long the gate is still closed, and the time between two places.
local per_call, catch_up, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wanted, first_extra, relief, least = tonumber(ARGV[4]), unpack(ARGV, 5, 7)
extra = extra or first_extra
local interval = math.ceil(per_call * (1 + extra))
catch_up = math.min(catch_up, interval)
if planned > now + ahead + interval then
  planned = now -- No one reserves so far ahead: the clock was set back.
end
local start = math.max(planned, closed_until, now - catch_up)
if start > now + ahead then
  return {0, start - ahead - now, math.max(closed_until - now, 0), interval}
end
local places = math.min(wanted, math.floor((now + ahead - start) / interval) + 1)
redis.call('HSET', KEYS[1], 'next', start + places * interval,
  'extra', math.max(extra - places * relief, least))
redis.call('PEXPIRE', KEYS[1], 600000)
return {places, start - now, 0, interval}
