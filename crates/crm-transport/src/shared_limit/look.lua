-- Answers how long until the next place, how long the gate is still closed, and the time between two
-- places.
local interval = math.ceil(ARGV[1] * (1 + (extra or ARGV[2])))
return {math.max(planned - now, 0), math.max(closed_until - now, 0), interval}
