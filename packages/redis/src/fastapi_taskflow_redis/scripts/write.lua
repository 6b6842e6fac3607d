-- Apply a batch: {refused ids, duplicates as id, holder, id, holder ...}; nil, with nothing
-- written, if not as many tasks would end as the plan says.
-- ARGV: the instance, the plan as JSON, then the values of withdrawn tasks as they would be
-- without an owner, of updates and of inserts.

local instance, plan = ARGV[1], cjson.decode(ARGV[2])
local values = {}
if plan.staged then
  local staged = PREFIX .. 'staged:' .. plan.staged
  local length = call('LLEN', staged)
  if length ~= plan.values then
    return redis.error_reply('TRYAGAIN the parts of the batch are not all there')
  end
  for first = 0, length - 1, 500 do
    for _, value in ipairs(call('LRANGE', staged, first, first + 499)) do
      values[#values + 1] = value
    end
  end
  call('DEL', staged)
else
  for place = 3, #ARGV do
    values[#values + 1] = ARGV[place]
  end
end

-- What is stored, and what the batch has made of it so far.
local seen, holders = {}, {}

local function find(new)
  local id = new.id
  if seen[id] == nil then
    local task = load(id) or false
    if task and task.damaged then
      -- Whose it is the lists say; the rest is as its owner knows it.
      task.epoch, task.more.key_hash = new.epoch, new.more.key_hash
    end
    seen[id] = task
  end
  return seen[id]
end

local function holder_of(key)
  if holders[key] == nil then
    local id = call('HGET', PREFIX .. 'keys', key)
    local task = id and load(id)
    -- One that could not be read when it ended has not given back its key.
    holders[key] = task and HOLDS_KEY[task.status] and id or false
  end
  return holders[key]
end

local function release(key)
  if key then
    holders[key] = false
  end
end

local withdrawn, changes, refused, duplicates = {}, {}, {}, {}
local left_out, ended, endings = {}, {}, 0

-- A task that others were promised, by an alias, goes on without its owner.
for place = 1, plan.withdrawn do
  local released = parse(values[place])
  local task = find(released)
  if waits(released) and task and task.status == 'pending' and task.owner == instance
    and task.epoch == released.epoch then
    if call('EXISTS', PREFIX .. 'aliases_of:' .. task.id) == 1 then
      released = altered(released, nil, released.epoch, task.asked)
      changes[#changes + 1] = {task, released}
      seen[task.id] = released
    else
      withdrawn[#withdrawn + 1] = task
      seen[task.id] = false
      release(key_of(task))
    end
  end
end

local function refuse(id)
  refused[#refused + 1] = id
  left_out[id] = true
end

local function change(old, new)
  changes[#changes + 1] = {old, new}
  seen[new.id] = new
  local key = key_of(new)
  if key then
    holders[key] = new.id
  else
    release(key_of(old))
  end
  if not OPEN[new.status] then
    ended[new.id] = true
    endings = endings + 1
  end
end

local function update(new)
  local old = find(new)
  if not old then
    refuse(new.id)
  elseif not OPEN[old.status] then
    -- The same end once more was applied before, and is no news.
    if old.status ~= new.status or old.epoch ~= new.epoch or old.ended ~= new.ended then
      refuse(new.id)
    end
  elseif old.owner ~= instance or old.epoch ~= new.epoch then
    refuse(new.id)
  elseif old.asked and not new.asked then
    -- Somebody else asked for it: an owner that does not know must not undo it.
    change(old, altered(new, new.owner, new.epoch, true))
  else
    change(old, new)
  end
end

local function insert(new)
  local key = new.more.key_hash
  if find(new) then
    update(new)
    return
  end
  local holder = key and (call('HGET', PREFIX .. 'aliases', new.id) or holder_of(key))
  if holder then
    duplicates[#duplicates + 1] = new.id
    duplicates[#duplicates + 1] = holder
    left_out[new.id] = true
  else
    change(nil, new)
  end
end

for place = plan.withdrawn + 1, #values do
  local act = place <= plan.withdrawn + plan.updates and update or insert
  act(parse(values[place]))
end
if plan.endings and plan.endings ~= endings then
  return nil
end

-- A withdrawn task may have had the key that a new one has now.
for _, task in ipairs(withdrawn) do
  drop(task)
end
for _, each in ipairs(changes) do
  put(each[1], each[2])
end
for place = 1, #duplicates, 2 do
  local alias, holder = duplicates[place], duplicates[place + 1]
  call('HSET', PREFIX .. 'aliases', alias, holder)
  call('SADD', PREFIX .. 'aliases_of:' .. holder, alias)
end
for _, line in ipairs(plan.logs) do
  local id, seq, text = line[1], line[2], line[3]
  local logs = PREFIX .. 'logs:' .. id
  if not left_out[id] and call('ZCOUNT', logs, seq, seq) == 0 then
    call('ZADD', logs, seq, text)
    -- Lines may come before their task; those whose task never comes are not kept for ever.
    if call('EXISTS', PREFIX .. 'task:' .. id) == 0 then
      call('EXPIRE', logs, LOST_LINES_KEPT)
    end
  end
end
for _, group in ipairs(plan.counts) do
  if group[1] == NONE or ended[group[1]] then
    roll_up(group[2])
  end
end
finish()
return {refused, duplicates}
