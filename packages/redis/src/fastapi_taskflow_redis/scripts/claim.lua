-- Look for what dead instances left, else hand out due tasks:
-- {'orphans', owner, now, id, value ...}, {'damaged', id, value ...} of tasks that cannot be
-- read, {'more'} if there is more to look at first, or {'tasks', id, value ...}.
-- ARGV: the instance, the most tasks, a token of this claim, whether to look for the dead
-- ('1'), then the functions. A claim asked again under its token, because its answer was lost,
-- hands out what it did.

local BITE, FUNCTIONS = 500, 5
local instance, limit, token = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local moment = now()

-- A dead instance is remembered for a day, in case it is only frozen.
local BURIED_KEPT = 86400000000

local function inherit(owner)
  local owned = PREFIX .. 'owned:' .. owner
  local answer, damaged = {'orphans', owner, digits(moment)}, {'damaged'}
  for _, id in ipairs(call('SRANDMEMBER', owned, BITE)) do
    local task = load_listed(id)
    if task then
      local list = task.damaged and damaged or answer
      list[#list + 1] = id
      list[#list + 1] = task.text
    else
      call('SREM', owned, id)
    end
  end
  return #damaged > 1 and damaged or answer
end

for _, owner in ipairs(ARGV[4] == '1' and call('SMEMBERS', PREFIX .. 'owners') or {}) do
  if not lives(owner, moment) then
    if call('EXISTS', PREFIX .. 'owned:' .. owner) == 1 then
      return inherit(owner)
    end
    call('SREM', PREFIX .. 'owners', owner)
  end
end
for _, known in ipairs(call('HKEYS', PREFIX .. 'beats')) do
  if not lives(known, moment) and call('EXISTS', PREFIX .. 'owned:' .. known) == 0 then
    bury(known, moment)
  end
end
call('ZREMRANGEBYSCORE', PREFIX .. 'dead', '-inf', digits(moment - BURIED_KEPT))

-- Those whose hour has come wait with the others.
local more = false
for place = FUNCTIONS, limit > 0 and #ARGV or 0 do
  local due, ready = PREFIX .. 'due:' .. ARGV[place], PREFIX .. 'ready:' .. ARGV[place]
  local come = call('ZRANGEBYSCORE', due, '-inf', digits(moment), 'LIMIT', 0, BITE)
  for _, member in ipairs(come) do
    call('ZADD', ready, 0, member)
    call('ZREM', due, member)
  end
  more = more or #come == BITE
end
if more then
  return {'more'}
end

-- Strings compared with < follow the server's locale; ids go by their bytes.
local function comes_first(one, other)
  local rank, rival = string.sub(one[1], 1, RANK_LENGTH), string.sub(other[1], 1, RANK_LENGTH)
  if rank ~= rival then
    return rank < rival
  end
  for place = RANK_LENGTH + 1, math.min(#one[1], #other[1]) do
    local byte, rival_byte = string.byte(one[1], place), string.byte(other[1], place)
    if byte ~= rival_byte then
      return byte < rival_byte
    end
  end
  return #one[1] < #other[1]
end

local candidates = {}
for place = FUNCTIONS, limit > 0 and #ARGV or 0 do
  local ready = PREFIX .. 'ready:' .. ARGV[place]
  for _, member in ipairs(call('ZRANGE', ready, 0, limit - 1)) do
    candidates[#candidates + 1] = {member, ready}
  end
end
table.sort(candidates, comes_first)

local answer, ids = {'tasks'}, {}
local note = PREFIX .. 'claimed:' .. instance
if call('LINDEX', note, 0) == token then
  for _, id in ipairs(call('LRANGE', note, 1, limit)) do
    local task = load(id)
    if task and task.owner == instance and task.status == 'pending' then
      answer[#answer + 1] = id
      answer[#answer + 1] = task.text
      ids[#ids + 1] = id
    end
  end
end
local found, damaged = {}, {'damaged'}
for place = 1, math.min(limit - #ids, #candidates) do
  local id = string.sub(candidates[place][1], RANK_LENGTH + 1)
  local task = load_listed(id)
  found[place] = task
  if task and task.damaged and waits(task) then
    damaged[#damaged + 1] = id
    damaged[#damaged + 1] = task.text
  end
end
if #damaged > 1 then
  return damaged
end
for place = 1, math.min(limit - #ids, #candidates) do
  local member, ready = candidates[place][1], candidates[place][2]
  local old = found[place]
  if old and waits(old) then
    local new = altered(old, instance, old.epoch + 1, old.asked)
    put(old, new)
    answer[#answer + 1] = new.id
    answer[#answer + 1] = new.text
    ids[#ids + 1] = new.id
  else
    call('ZREM', ready, member)
    more = true
  end
end
if #ids > 0 then
  call('DEL', note)
  call('RPUSH', note, token, unpack(ids))
  call('EXPIRE', note, 3600)
end
finish()
return answer
