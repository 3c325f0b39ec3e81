-- Reserves places as far ahead as allowed, as many as are wanted. A gate that was idle is
-- forgotten, which changes nothing.
--
-- Answers how many places there are, how long until the first (or until it is worth asking
-- again), and how long the gate is still closed.
local interval, catch_up, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local wanted = tonumber(ARGV[4])
if planned > now + ahead + interval then
  planned = now -- No one reserves so far ahead: the clock was set back.
end
local start = math.max(planned, closed_until, now - catch_up)
if start > now + ahead then
  return {0, start - ahead - now, math.max(closed_until - now, 0)}
end
local places = math.min(wanted, math.floor((now + ahead - start) / interval) + 1)
redis.call('HSET', KEYS[1], 'next', start + places * interval)
redis.call('PEXPIRE', KEYS[1], 60000)
return {places, start - now, 0}
