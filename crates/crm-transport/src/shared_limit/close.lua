-- Closes a gate for some milliseconds; never opens it earlier than another 429 asked. With no
-- time named, twice as long as the last time if that was just now. Answers whether it was open.
local pause, first, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not pause then
  if now < closed_until then return 0 end -- This answer is one of those that closed it.
  pause = first
  if now < closed_until + math.max(last_pause, first) * 1000 then
    pause = math.min(math.max(last_pause * 2, first), longest)
  end
end
redis.call('HSET', KEYS[1], 'pause', pause)
local opens_at = now + pause * 1000
if opens_at >= closed_until then
  redis.call('HSET', KEYS[1], 'closed_until', opens_at, 'closed_at', now)
  redis.call('PEXPIRE', KEYS[1], pause + 600000)
end
return (now >= closed_until and pause > 0) and 1 or 0
