-- Sessions of one user.
-- KEYS: a hash of the user's sessions, by the hash of their ids. A session is
-- "<version>:<created>:<seen>:<idle>:<end>:" and the rest, times in microseconds.
-- ARGV: what to do, the time in microseconds or '' for the server's,
-- milliseconds to keep the key for longer than its last session, the hash of the
-- id, and what each needs.
local now
if ARGV[2] == '' then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
else
    now = tonumber(ARGV[2])
end
local key, id = KEYS[1], ARGV[4]

local function parse(kept)
    local version, created, seen, idle, ends, rest =
        string.match(kept, '^(%d+):(%d+):(%d+):(%d+):(%d+):(.*)$')
    local one = {
        version = tonumber(version),
        created = created,
        seen = tonumber(seen),
        idle = tonumber(idle),
        ends = tonumber(ends),
        rest = rest,
    }
    one.expires = math.min(one.seen + one.idle, one.ends)
    return one
end

local function write(one)
    local text = string.format('%.0f:%s:%.0f:%.0f:%.0f:', one.version, one.created, one.seen, one.idle, one.ends)
    text = text .. one.rest
    redis.call('HSET', key, id, text)
    local left = math.ceil((math.min(one.seen + one.idle, one.ends) - now) / 1000) + ARGV[3]
    if redis.call('PTTL', key) < left then
        redis.call('PEXPIRE', key, string.format('%.0f', left))
    end
    return text
end

-- The session, unless it has ended.
local function find()
    local kept = redis.call('HGET', key, id)
    if not kept then
        return nil
    end
    local one = parse(kept)
    if one.expires <= now then
        redis.call('HDEL', key, id)
        return nil
    end
    return one, kept
end

-- All that have not ended: id and when it was last seen. Forgets the others.
local function living()
    local all, found = redis.call('HGETALL', key), {}
    for i = 1, #all, 2 do
        local one = parse(all[i + 1])
        if one.expires <= now then
            redis.call('HDEL', key, all[i])
        else
            found[#found + 1] = { all[i], one.seen }
        end
    end
    return found
end

local what = ARGV[1]
if what == 'create' then
    -- idle, absolute, rest, how many at most
    local found = living()
    table.sort(found, function(a, b) return a[2] < b[2] end)
    for i = 1, #found - tonumber(ARGV[8]) + 1 do
        redis.call('HDEL', key, found[i][1])
    end
    return { 1, write({
        version = 1,
        created = string.format('%.0f', now),
        seen = now,
        idle = tonumber(ARGV[5]),
        ends = now + tonumber(ARGV[6]),
        rest = ARGV[7],
    }) }
elseif what == 'all' then
    local count = #living()
    redis.call('DEL', key)
    return { count }
end
local one, kept = find()
if not one then
    return { 0 }
elseif what == 'load' then
    return { 1, kept }
elseif what == 'save' then
    -- version, data; what stands before the end of the first line is the user
    if string.format('%.0f', one.version) ~= ARGV[5] then
        return { 2, string.format('%.0f', one.version) }
    end
    one.version = one.version + 1
    one.rest = string.match(one.rest, '^([^\n]*\n)') .. ARGV[6]
    return { 1, write(one) }
elseif what == 'touch' then
    one.seen = math.max(one.seen, now)
    return { 1, write(one) }
end
redis.call('HDEL', key, id)
return { 1 }
