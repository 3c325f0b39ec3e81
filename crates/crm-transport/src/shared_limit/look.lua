-- Answers how long until the next place, and how long the gate is still closed.
return {math.max(planned - now, 0), math.max(closed_until - now, 0)}
