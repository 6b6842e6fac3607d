-- Change a setting: 1 if its version was the right one.
-- ARGV: the name, the value or nothing at all in the last place, the version it must have
-- (or ''), its lifetime in microseconds (or '').

local settings, names, ends = PREFIX .. 'settings', PREFIX .. 'setting_names',
  PREFIX .. 'setting_ends'
local name, version, lifetime, value = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local moment = now()

local function forget(each)
  call('HDEL', settings, each)
  call('ZREM', names, each)
  call('ZREM', ends, each)
end

for _, over in ipairs(call('ZRANGEBYSCORE', ends, '-inf', digits(moment), 'LIMIT', 0, 100)) do
  forget(over)
end
local score = call('ZSCORE', ends, name)
if score and tonumber(score) <= moment then
  forget(name)
end

local known = call('HGET', settings, name)
local found = known and tonumber(string.match(known, '^%d+')) or 0
if version ~= '' and tonumber(version) ~= found then
  return 0
end
if not value then
  forget(name)
  return 1
end
call('HSET', settings, name, digits(found + 1) .. '\n' .. value)
call('ZADD', names, 0, name)
if lifetime == '' then
  call('ZREM', ends, name)
else
  call('ZADD', ends, digits(moment + lifetime), name)
end
return 1
