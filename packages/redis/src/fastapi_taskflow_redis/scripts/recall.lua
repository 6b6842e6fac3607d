-- What is known of a task that cannot be read: {function, queue, its place in lists}, or nil.
-- ARGV: the id.

local task = load_listed(ARGV[1])
if not task then
  return nil
end
local place = call('ZSCORE', PREFIX .. 'by:created', task.id)
return {task.func, task.queue, place or digits(task.created)}
