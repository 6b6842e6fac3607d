-- Change tasks that still are as they were read: how many that was.
-- ARGV: whose death is the reason, or '', groups of counters as JSON, then for each task the
-- SHA-1 of what it was, and what it is to be.

local groups = cjson.decode(ARGV[2])
if ARGV[1] ~= '' and lives(ARGV[1], now()) then
  return 0
end
local changes, ended = {}, {}
for place = 3, #ARGV, 2 do
  local new = parse(ARGV[place + 1])
  local old = load_listed(new.id)
  if old and redis.sha1hex(old.text) == ARGV[place] then
    changes[#changes + 1] = {old, new}
    ended[new.id] = true
  end
end

for _, each in ipairs(changes) do
  put(each[1], each[2])
end
for _, group in ipairs(groups) do
  if ended[group[1]] then
    roll_up(group[2])
  end
end
finish()
return #changes
