-- Note a sign of life: {now, 1 if it had been declared dead, ids to cancel ...}.
-- ARGV: the instance, what it says, its lease in microseconds.

local moment, instance = digits(now()), ARGV[1]
call('HSET', PREFIX .. 'instances', instance, ARGV[2])
call('HSET', PREFIX .. 'beats', instance, moment .. ' ' .. ARGV[3])
local answer = {moment, call('ZREM', PREFIX .. 'dead', instance)}
for _, id in ipairs(call('SMEMBERS', PREFIX .. 'cancels:' .. instance)) do
  answer[#answer + 1] = id
end
return answer
