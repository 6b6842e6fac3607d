-- Settings by name, after one of them: name, value, name, value ...; at most 2 * ARGV[3].
-- ARGV: the prefix, the name to go on behind (or ''), how many names to look at.
-- The first item is the last name looked at, or '' at the end.

local prefix, after, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local moment = now()
local from = after == '' and '[' .. prefix or '(' .. after
-- No UTF-8 has this byte. The end of all names is written without it.
local to = prefix == '' and '+' or '(' .. prefix .. '\255'
local names = call('ZRANGEBYLEX', PREFIX .. 'setting_names', from, to, 'LIMIT', 0, limit)
local answer = {#names == limit and names[#names] or ''}
for _, name in ipairs(names) do
  local score = call('ZSCORE', PREFIX .. 'setting_ends', name)
  if not score or tonumber(score) > moment then
    answer[#answer + 1] = name
    answer[#answer + 1] = call('HGET', PREFIX .. 'settings', name)
  end
end
return answer
