-- queue_claims: what is told of the items that are taken: queue.taken, and the claims of sessions in
-- descriptions; see 34_queue_taken.lua.
--
-- Tests: tests/engine/test_queue*.py.
local queue = ipcd.queue
local pack = ipcd.pack

local TAKEN_STANDARD = 100
local TAKEN_AT_ONCE = 500 -- how many are read in one command

-- Milliseconds of its lease that are left.
local function lease_left(obj, q, item, now)
    if q.options.lease_ms == 0 then
        return pack.nil_
    end
    local due = redis.call("ZSCORE", obj:key("l"), queue.lease_member(item.ticket))
    return pack.int(math.max(tonumber(due) - now, 0))
end

local function show(obj, q, item, now)
    local n, claimant = ipcd.claimant(item.sid)
    return pack.map(n + 5) .. pack.pair("ticket", pack.int(item.ticket)) ..
        pack.pair("value", item.value) .. pack.pair("deliveries", pack.int(item.deliveries)) ..
        claimant .. pack.pair("since", pack.time(item.taken)) ..
        pack.pair("lease_ms", lease_left(obj, q, item, now))
end

ipcd.method("queue.taken", {}, function(call, start, count)
    local q, code, text = queue.need_joinable(call)
    if not q then
        return nil, code, text
    end
    local obj = call.obj
    start = math.min(tonumber(start or "") or 0, q.taken)
    local last = math.min(start + (tonumber(count or "") or TAKEN_STANDARD), q.taken) - 1
    local shown, size = {}, 0
    while start <= last and size < queue.LONG do
        local members = redis.call("ZRANGE", obj:key("k"), start,
            math.min(start + TAKEN_AT_ONCE - 1, last))
        for _, member in ipairs(members) do
            if size < queue.LONG then
                shown[#shown + 1] = show(obj, q, queue.unpack_taken(member), call.now)
                size = size + #shown[#shown]
            end
        end
        start = start + TAKEN_AT_ONCE
    end
    return pack.array(#shown) .. table.concat(shown)
end)

-- Claims, as object.describe and session.describe tell of them.

local function claim_of(obj, sid)
    local tickets = obj:key("c")
    local count = redis.call("ZLEXCOUNT", tickets, "[" .. sid .. "\0", "(" .. sid .. "\1")
    local first = queue.tickets_of(obj, sid, 1)[1]
    return { sid, queue.taken_by_ticket(obj, first).taken, 1, pack.pair("tickets", pack.int(count)),
        ticket = first }
end

-- Those who have taken something, the one that has had it longest first; or one session's alone.
local function claims(obj, sid)
    local list = {}
    if sid then
        return #queue.tickets_of(obj, sid, 1) > 0 and { claim_of(obj, sid) } or list
    end
    local from = "-"
    repeat
        local member = redis.call("ZRANGEBYLEX", obj:key("c"), from, "+", "LIMIT", 0, 1)[1]
        if member then
            local holder = member:sub(1, -10)
            list[#list + 1] = claim_of(obj, holder)
            from = "(" .. holder .. "\1"
        end
    until not member
    table.sort(list, function(a, b) return a.ticket < b.ticket end)
    return list
end

ipcd.types.queue.claims = claims
