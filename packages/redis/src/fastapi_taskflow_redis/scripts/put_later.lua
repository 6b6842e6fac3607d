-- Give a run key to a task, or to none: 1, or 0 if what is stored is not as it was read.
-- ARGV: the run key, who had it ('' for nobody), the SHA-1 of what that was and what it is to
-- be (both '' if it stays), groups of counters as JSON, the value of the new task (or '').

local run_key, former, hash, ending = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local groups = cjson.decode(ARGV[5])
if (call('HGET', PREFIX .. 'run_keys', run_key) or '') ~= former then
  return 0
end
local old = ending ~= '' and load(former)
if ending ~= '' and not (old and redis.sha1hex(old.text) == hash) then
  return 0
end
local cancelled = ending ~= '' and parse(ending)
local new = ARGV[6] ~= '' and parse(ARGV[6])
local known = new and load(new.id)

if new then
  call('HSET', PREFIX .. 'run_keys', run_key, new.id)
  call('HSET', PREFIX .. 'run_key_of', new.id, run_key)
  if not known then
    put(nil, new)
  end
else
  call('HDEL', PREFIX .. 'run_keys', run_key)
end
call('HDEL', PREFIX .. 'run_key_of', former)
call('ZREM', PREFIX .. 'later', former)
if cancelled then
  put(old, cancelled)
  for _, group in ipairs(groups) do
    roll_up(group[2])
  end
end
finish()
return 1
