-- What a stored task is, and everything that must change together with it.
-- This text stands before each script that changes tasks. KEYS[1] is the hash tag that every
-- key begins with; keys.py says what there is. A script looks at all it needs before it writes
-- anything, because what a script has written is not taken back when it fails.

local call = redis.call
local PREFIX = KEYS[1] .. ':'
local NONE = cjson.null
local OPEN = {pending = true, running = true}
local HOLDS_KEY = {pending = true, running = true, success = true}
local LISTED = {'pending', 'running', 'failed', 'interrupted', 'cancelled', 'rejected'}
local RANK_LENGTH = 30
local LOST_LINES_KEPT = 86400
local UNREAD_LEASE = 15000000

local function now()
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

local function digits(number)
  return string.format('%.0f', number)
end

-- rows.py has the format.
local function parse(text)
  local head_end = string.find(text, '\n', 1, true)
  local body_end = string.find(text, '\n', head_end + 1, true)
  local head = cjson.decode(string.sub(text, 1, head_end - 1))
  local body = cjson.decode(string.sub(text, head_end + 1, body_end and body_end - 1))
  return {
    text = text,
    status = head[1],
    owner = head[2] ~= NONE and head[2],
    epoch = head[3],
    asked = head[4] == 1,
    ended = head[5] ~= NONE and head[5],
    id = body[1],
    func = body[2],
    created = body[3],
    queue = body[4],
    more = body[7] or {},
  }
end

local function words(tags)
  local found = {}
  for name, value in pairs(tags or {}) do
    found[name] = true
    found[name .. '=' .. value] = true
  end
  return found
end

local function text_or_nothing(value)
  return value == nil or type(value) == 'string'
end

-- Whether a task has all that scripts need, and is the one of this id.
local function sound(task, id)
  local more = task.more
  return task.id == id and type(task.status) == 'string' and type(task.epoch) == 'number'
    and (not task.owner or type(task.owner) == 'string')
    and (not task.ended or type(task.ended) == 'string')
    and type(task.func) == 'string' and type(task.queue) == 'string'
    and type(task.created) == 'number' and type(more) == 'table'
    and text_or_nothing(more.source) and text_or_nothing(more.retry_of)
    and text_or_nothing(more.key_hash) and text_or_nothing(more.rank)
    and text_or_nothing(more.error) and pcall(words, more.tags)
end

-- A task whose text nobody here wrote: what the lists say of it, as far as they do.
local function recall(id, text)
  local task = {
    id = id, text = text, damaged = true, status = 'success', owner = false, epoch = 0,
    asked = false, func = '?', queue = 'default', more = {},
  }
  task.created = tonumber(call('ZSCORE', PREFIX .. 'by:created', id) or 0)
  task.ended = call('ZSCORE', PREFIX .. 'finished', id)
  for _, status in ipairs(LISTED) do
    if call('ZSCORE', PREFIX .. 'by:status:' .. status, id) then
      task.status = status
    end
  end
  for _, owner in ipairs(call('SMEMBERS', PREFIX .. 'owners')) do
    if call('SISMEMBER', PREFIX .. 'owned:' .. owner, id) == 1 then
      task.owner = owner
      task.asked = call('SISMEMBER', PREFIX .. 'cancels:' .. owner, id) == 1
    end
  end
  -- Functions and queues that there are stand in the names of counters.
  for counters, place in pairs({unfinished = 1, ['rollup:all'] = 3}) do
    for _, name in ipairs(call('HKEYS', PREFIX .. counters)) do
      local read, parts = pcall(cjson.decode, name)
      local func, queue = read and parts[place], read and parts[place + 1]
      if func and call('ZSCORE', PREFIX .. 'by:func:' .. func, id) then
        task.func = func
      end
      if queue and call('ZSCORE', PREFIX .. 'by:queue:' .. queue, id) then
        task.queue = queue
      end
    end
  end
  return task
end

-- What is stored of a task; a key of another kind holds nothing that can be read.
local function text_of(id)
  local text = redis.pcall('GET', PREFIX .. 'task:' .. id)
  return type(text) == 'table' and '' or text
end

local function read(id, text)
  local parsed, task = pcall(parse, text)
  return parsed and sound(task, id) and task or recall(id, text)
end

local function load(id)
  local text = text_of(id)
  return text and read(id, text)
end

-- The same for who goes by the lists: a task that they do not name as it does is damaged too.
local function load_listed(id)
  local task = load(id)
  if task and not task.damaged and not call('ZSCORE', PREFIX .. 'by:func:' .. task.func, id) then
    return recall(id, task.text)
  end
  return task
end

-- The task with another owner, epoch or wish to end.
local function altered(task, owner, epoch, asked)
  local changed = {}
  for name, value in pairs(task) do
    changed[name] = value
  end
  changed.owner, changed.epoch, changed.asked = owner, epoch, asked
  local head = {task.status, owner or NONE, epoch, asked and 1 or 0, task.ended or NONE}
  local rest = string.sub(task.text, (string.find(task.text, '\n', 1, true)))
  changed.text = cjson.encode(head) .. rest
  return changed
end

-- The lists that a task stands in as long as it is stored. What nearly all tasks have in
-- common has no list of its own: there the list of all is as good.
local function lists(task)
  local found = {'created', 'func:' .. task.func}
  if task.queue ~= 'default' then
    found[#found + 1] = 'queue:' .. task.queue
  end
  if task.more.source then
    found[#found + 1] = 'source:' .. task.more.source
  end
  if task.more.retry_of then
    found[#found + 1] = 'retry:' .. task.more.retry_of
  end
  for word in pairs(words(task.more.tags)) do
    found[#found + 1] = 'tag:' .. word
  end
  return found
end

local function status_list(task)
  return task and task.status ~= 'success' and 'status:' .. task.status or nil
end

local function owner_of(task)
  return task and OPEN[task.status] and task.owner or nil
end

local function key_of(task)
  return task and HOLDS_KEY[task.status] and task.more.key_hash or nil
end

local function waits(task)
  return task and task.status == 'pending' and not task.owner or false
end

local function move(command_out, command_in, name, id, before, after)
  if before ~= after then
    if before then
      call(command_out, PREFIX .. name .. ':' .. before, id)
    end
    if after then
      call(command_in, PREFIX .. name .. ':' .. after, id)
    end
  end
end

-- Changes of sums, gathered, and written by finish().
local counted, touched = {}, {}

local function count(task, number)
  if task and OPEN[task.status] then
    local field = cjson.encode({task.func, task.queue, task.status})
    counted[field] = (counted[field] or 0) + number
  end
end

local function queue_up(task)
  local member = task.more.rank .. task.id
  local due = tonumber(string.sub(task.more.rank, 12, RANK_LENGTH - 1))
  if due > 0 then
    call('ZADD', PREFIX .. 'due:' .. task.func, digits(due), member)
  else
    call('ZADD', PREFIX .. 'ready:' .. task.func, 0, member)
  end
  if call('HEXISTS', PREFIX .. 'run_key_of', task.id) == 1 then
    call('ZADD', PREFIX .. 'later', digits(due > 0 and due or task.created), task.id)
  end
end

local function queue_out(task)
  -- Without a rank it stays where it waits, until a claim finds that it does not.
  if task.more.rank then
    local member = task.more.rank .. task.id
    call('ZREM', PREFIX .. 'due:' .. task.func, member)
    call('ZREM', PREFIX .. 'ready:' .. task.func, member)
  end
  call('ZREM', PREFIX .. 'later', task.id)
end

local function drop_run_key(id)
  local run_key = call('HGET', PREFIX .. 'run_key_of', id)
  if run_key then
    call('HDEL', PREFIX .. 'run_key_of', id)
    call('HDEL', PREFIX .. 'run_keys', run_key)
  end
end

-- What follows from a task's change; either side may be nil.
local function follow(id, old, new)
  local was, is = owner_of(old), owner_of(new)
  if was ~= is then
    move('SREM', 'SADD', 'owned', id, was, is)
    touched[was or is], touched[is or was] = true, true
  end
  move('SREM', 'SADD', 'cancels', id, was and old.asked and was or nil,
    is and new.asked and is or nil)
  if waits(old) then
    queue_out(old)
  end
  if waits(new) then
    queue_up(new)
  end
  local key_was, key_is = key_of(old), key_of(new)
  if key_was and not key_is then
    call('HDEL', PREFIX .. 'keys', key_was)
  elseif key_is and not key_was then
    call('HSET', PREFIX .. 'keys', key_is, id)
  end
  count(old, -1)
  count(new, 1)
end

-- Store a task that is new (old is nil) or has changed.
local function put(old, new)
  local id, created = new.id, digits(new.created)
  call('SET', PREFIX .. 'task:' .. id, new.text)
  if not old then
    for _, name in ipairs(lists(new)) do
      call('ZADD', PREFIX .. 'by:' .. name, created, id)
    end
    call('PERSIST', PREFIX .. 'logs:' .. id)
  end
  local was, is = status_list(old), status_list(new)
  if was ~= is then
    if is then
      call('ZADD', PREFIX .. 'by:' .. is, created, id)
    end
    if was then
      call('ZREM', PREFIX .. 'by:' .. was, id)
    end
  end
  follow(id, old, new)
  if not OPEN[new.status] then
    call('ZADD', PREFIX .. 'finished', new.ended or created, id)
    drop_run_key(id)
  end
end

-- Remove a task and all that is its own.
local function drop(task)
  local id = task.id
  for _, name in ipairs(lists(task)) do
    call('ZREM', PREFIX .. 'by:' .. name, id)
  end
  local status = status_list(task)
  if status then
    call('ZREM', PREFIX .. 'by:' .. status, id)
  end
  follow(id, task, nil)
  drop_run_key(id)
  call('ZREM', PREFIX .. 'finished', id)
  local aliases = PREFIX .. 'aliases_of:' .. id
  for _, alias in ipairs(call('SMEMBERS', aliases)) do
    call('HDEL', PREFIX .. 'aliases', alias)
  end
  call('DEL', PREFIX .. 'task:' .. id, PREFIX .. 'logs:' .. id, aliases)
end

local function finish()
  for field, number in pairs(counted) do
    if number ~= 0 and call('HINCRBY', PREFIX .. 'unfinished', field, number) <= 0 then
      call('HDEL', PREFIX .. 'unfinished', field)
    end
  end
  for owner in pairs(touched) do
    if call('EXISTS', PREFIX .. 'owned:' .. owner) == 1 then
      call('SADD', PREFIX .. 'owners', owner)
    else
      call('SREM', PREFIX .. 'owners', owner)
    end
  end
end

-- Counters of finished tasks.
local STEPS = {minute = 60000000, hour = 3600000000}
local KEPT = {minute = 2 * 86400, hour = 32 * 86400}

local function add(key, field, n, total, low, high)
  local known = call('HGET', key, field)
  local old_n, old_total, old_low, old_high = string.match(known or '', '(%d+) (%d+) (%d+) (%d+)')
  if known and not old_n then
    redis.log(redis.LOG_WARNING, key .. ' begins anew, it could not be read: ' .. known)
  elseif known then
    n, total = n + old_n, total + old_total
    low, high = math.min(low, tonumber(old_low)), math.max(high, tonumber(old_high))
  end
  local value = digits(n) .. ' ' .. digits(total) .. ' ' .. digits(low) .. ' ' .. digits(high)
  call('HSET', key, field, value)
end

-- Steps live on in the sum of all time when they expire; then their places are free.
local function keep_step(resolution, start)
  local steps = PREFIX .. 'rollups:' .. resolution
  call('EXPIRE', PREFIX .. 'rollup:' .. resolution .. ':' .. start, KEPT[resolution])
  if call('ZADD', steps, start, start) == 1 then
    for _, old in ipairs(call('ZRANGE', steps, 0, 9)) do
      if call('EXISTS', PREFIX .. 'rollup:' .. resolution .. ':' .. old) == 0 then
        call('ZREM', steps, old)
      end
    end
  end
end

-- rows: {start of the minute, field, n, total, low, high}, as rollups.py makes them.
local function roll_up(rows)
  local kept = {}
  for _, row in ipairs(rows) do
    local moment, field, n, total, low, high = unpack(row)
    add(PREFIX .. 'rollup:all', field, n, total, low, high)
    for resolution, step in pairs(STEPS) do
      local start = digits(moment - moment % step)
      local name = resolution .. ':' .. start
      add(PREFIX .. 'rollup:' .. name, field, n, total, low, high)
      if not kept[name] then
        kept[name] = true
        keep_step(resolution, start)
      end
    end
  end
end

local function lives(instance, moment)
  local said = call('HGET', PREFIX .. 'beats', instance)
  if not said then
    return false
  end
  local beat, lease = string.match(said, '(%d+) (%d+)')
  if not beat then
    -- It cannot be read: as if it had come now. Who lives overwrites it, who does not is found out.
    call('HSET', PREFIX .. 'beats', instance, digits(moment) .. ' ' .. UNREAD_LEASE)
    return true
  end
  return moment - beat < tonumber(lease)
end

local function bury(dead, moment)
  call('ZADD', PREFIX .. 'dead', digits(moment), dead)
  call('HDEL', PREFIX .. 'beats', dead)
  call('HDEL', PREFIX .. 'instances', dead)
end
