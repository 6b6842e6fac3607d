-- The counters of several steps, each as one text of alternating names and values, by lines.
-- ARGV: the steps, as resolution:start, or all.

local answer = {}
for _, step in ipairs(ARGV) do
  answer[#answer + 1] = table.concat(call('HGETALL', PREFIX .. 'rollup:' .. step), '\n')
end
return answer
