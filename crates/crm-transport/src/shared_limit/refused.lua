-- Notes an answer 429: the places are spaced wider. Goes on to `close.lua` where the gate closes:
-- after the third in a second, or one that asks for a long wait. What is refused while the gate is
-- closed was sent before and teaches nothing more.
local asks_for, short, soon = tonumber(ARGV[1]) or 0, tonumber(ARGV[4]), tonumber(ARGV[5]) * 1000
local first_extra, step, jump, most = unpack(ARGV, 6, 9)
if now >= closed_until then
  local before = redis.call('HMGET', KEYS[1], 'refused', 'refused_before')
  local last, last_but_one = tonumber(before[1]) or -soon, tonumber(before[2]) or -soon
  local closes = now < last_but_one + 1000000 or asks_for > short
  local more = closes and jump or now < last + soon and 2 * step or step
  extra = math.min((extra or first_extra) + more, most)
  redis.call('HSET', KEYS[1], 'extra', extra, 'refused', now, 'refused_before', last)
  redis.call('PEXPIRE', KEYS[1], 600000)
  if not closes then return 0 end
end
