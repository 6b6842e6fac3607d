-- Flag a task for its owner, or tell what it is: {id, value}, nil if there is none.
-- ARGV: the id, which may be an alias.

local id = call('HGET', PREFIX .. 'aliases', ARGV[1]) or ARGV[1]
local task = load(id)
if not task then
  return nil
end
if not task.damaged and OPEN[task.status] and not waits(task) and not task.asked then
  local flagged = altered(task, task.owner, task.epoch, true)
  put(task, flagged)
  finish()
  return {id, flagged.text}
end
return {id, task.text}
