-- Settle a slot: 1 if it was this call that did.
-- ARGV: the schedule, the moment, the slot as JSON, for how long others are kept, and the
-- value of its task, if there is one.

local slots = PREFIX .. 'slots:' .. ARGV[1]
local at = tonumber(ARGV[2])
if at > now() or call('ZCOUNT', slots, ARGV[2], ARGV[2]) > 0 then
  return 0
end
local task = ARGV[5] and parse(ARGV[5])
local known = task and load(task.id)

call('ZADD', slots, ARGV[2], ARGV[3])
call('ZREMRANGEBYSCORE', slots, '-inf', '(' .. digits(at - ARGV[4]))
if task and not known then
  put(nil, task)
  finish()
end
return 1
