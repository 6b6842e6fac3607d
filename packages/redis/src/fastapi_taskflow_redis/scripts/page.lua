-- A part of a list: {1 if it is at its end, score and id of the last task looked at (or ''),
-- id, value, id, value ...}.
-- ARGV: the question as JSON, from pages.py.

local question = cjson.decode(ARGV[1])
local older = question.direction == 'older'

-- The shortest list that has all that is wanted.
local list, shortest
for _, name in ipairs(question.lists) do
  local length = call('ZCARD', PREFIX .. 'by:' .. name)
  if not shortest or length < shortest then
    list, shortest = PREFIX .. 'by:' .. name, length
  end
end

local function smaller(one, other)
  for place = 1, math.min(#one, #other) do
    local byte, rival = string.byte(one, place), string.byte(other, place)
    if byte ~= rival then
      return byte < rival
    end
  end
  return #one < #other
end

local function range(first, last)
  return call(older and 'ZREVRANGE' or 'ZRANGE', list, first, last, 'WITHSCORES')
end

-- How many come before a place and with it, whether its task is still there or not.
local function behind(score, id)
  local first = call('ZCOUNT', list, older and '(' .. score or '-inf',
    older and '+inf' or '(' .. score)
  local last = first + call('ZCOUNT', list, score, score)
  while first < last do
    local middle = math.floor((first + last) / 2)
    local member = range(middle, middle)[1]
    local beyond = older and smaller(member, id) or not older and smaller(id, member)
    if beyond then
      last = middle
    else
      first = middle + 1
    end
  end
  return first
end

local start = 0
if question.cursor then
  start = behind(question.cursor[1], question.cursor[2])
end
local bound = older and question['until'] or not older and question.since
if bound then
  local left_out = older and call('ZCOUNT', list, bound, '+inf')
    or call('ZCOUNT', list, '-inf', '(' .. bound)
  start = math.max(start, left_out)
end

local function out_of_time(score)
  if older then
    return question.since and tonumber(score) < tonumber(question.since)
  end
  return question['until'] and tonumber(score) >= tonumber(question['until'])
end

local wanted = question.filters

local function has(word, text)
  return text and string.find(string.lower(text), word, 1, true)
end

local function admits(task)
  return (not wanted.status or task.status == wanted.status)
    and (not wanted.func or task.func == wanted.func)
    and (not wanted.queue or task.queue == wanted.queue)
    and (not wanted.source or (task.more.source or 'manual') == wanted.source)
    and (not wanted.retry_of or task.more.retry_of == wanted.retry_of)
    and (not wanted.owner or task.owner == wanted.owner)
    and (not wanted.tag or words(task.more.tags)[wanted.tag])
    and (not wanted.text or has(wanted.text, task.func) or has(wanted.text, task.more.error)
      or has(wanted.text, task.id))
    and (not wanted.error or has(wanted.error, task.more.error))
    and (not wanted.id or string.sub(string.lower(task.id), 1, #wanted.id) == wanted.id)
end

-- Whether it is worth while to read a text that was looked up.
local function may_have(id, text)
  if not question.verbatim then
    return true
  end
  local head_end = string.find(text, '\n', 1, true)
  if not head_end then
    return true
  end
  local body = string.sub(text, head_end, string.find(text, '\n', head_end + 1, true))
  return has(wanted.text, body) or has(wanted.text, id)
end

local answer = {0, '', ''}
local filtered = next(wanted) ~= nil
local places = range(start, start + question.examined - 1)
for place = 1, #places, 2 do
  local id, score = places[place], places[place + 1]
  if out_of_time(score) then
    answer[1] = 1
    return answer
  end
  local text = text_of(id)
  answer[2], answer[3] = score, id
  if text and (not filtered or (may_have(id, text) and admits(read(id, text)))) then
    answer[#answer + 1] = id
    answer[#answer + 1] = text
    if #answer - 3 == 2 * question.limit then
      return answer
    end
  end
end
if #places < 2 * question.examined then
  answer[1] = 1
end
return answer
