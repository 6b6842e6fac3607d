-- Remove what finished first: how many.
-- ARGV: before which moment, how many at most.

local old = call('ZRANGEBYSCORE', PREFIX .. 'finished', '-inf', '(' .. ARGV[1],
  'LIMIT', 0, ARGV[2])
local tasks = {}
for _, id in ipairs(old) do
  tasks[#tasks + 1] = load(id) or nil
end
for _, task in ipairs(tasks) do
  drop(task)
end
for _, id in ipairs(old) do
  call('ZREM', PREFIX .. 'finished', id)
end
finish()
return #old
