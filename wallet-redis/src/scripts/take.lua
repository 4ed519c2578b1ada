-- Takes from every bucket, or from none.
-- KEYS: one bucket each, kept as units used and microseconds.
-- ARGV: milliseconds to keep a full bucket, then of each bucket cost, capacity
-- and flow per microsecond in units; the time in microseconds, where it is not
-- the server's.
-- Answers whether it was taken, the time, and the units used of each.
-- Numbers are packed, eight bytes each: as texts they would take several times
-- as long. Units are whole numbers up to 2^53, so that nothing is rounded.
local call, pack, unpack = redis.call, struct.pack, struct.unpack
local given, now = ARGV[1], tonumber(ARGV[2])
if not now then
    local time = call('TIME')
    now = time[1] * 1000000 + time[2]
end
local grace, first = unpack('>I8', given)
local used, is_ahead, taken, place = {}, {}, 1, first
for i = 1, #KEYS do
    local cost, full, flow
    cost, full, flow, place = unpack('>I8I8I8', given, place)
    local kept = call('GET', KEYS[i])
    local units = 0
    if kept then
        local at
        units, at = unpack('>I8I8', kept)
        is_ahead[i] = at > now
        if at < now then
            units = math.max(units - (now - at) * flow, 0)
        end
    end
    used[i] = units
    if cost > full - units then
        taken = 0
    end
end
local answer = pack('>I8I8', taken, now)
place = first
for i = 1, #KEYS do
    local cost, _, flow
    cost, _, flow, place = unpack('>I8I8I8', given, place)
    local units = used[i] + cost * taken
    if is_ahead[i] or units > used[i] then
        local keep = math.ceil(units / flow / 1000) + grace
        call('SET', KEYS[i], pack('>I8I8', units, now), 'PX', keep)
    end
    answer = answer .. pack('>I8', units)
end
return answer
