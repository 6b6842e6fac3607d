-- Append an entry to the audit trail, unless it is there.
-- ARGV: its id, the entry as JSON, actor, action.

local id = ARGV[1]
if call('HSETNX', PREFIX .. 'audit', id, ARGV[2]) == 1 then
  for _, list in ipairs({'all', 'actor:' .. ARGV[3], 'action:' .. ARGV[4]}) do
    call('ZADD', PREFIX .. 'audit_by:' .. list, 0, id)
  end
end
return 1
