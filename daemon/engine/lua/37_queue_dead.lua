-- queue_dead: items that have been delivered max_deliveries times go to the dead letter queue; see
-- daemon/objects/dead_letter.c. It must be in the same slot, if the engine is a cluster.
--
-- Tests: tests/engine/test_queue*.py.
local queue, place = ipcd.queue, ipcd.queue.place
local pack = ipcd.pack

local CHAIN_MAX = 64

-- True if the owner of one queue may write to the other.
local function may_write(from, to)
    local shift = 1
    if from.uid == 0 then
        return true
    elseif from.uid == to.uid then
        shift = 64
    elseif from.gid == to.gid then
        shift = 8
    end
    return bit.band(to.mode, 2 * shift) ~= 0
end

local function receiver_of(obj, q)
    local name = q.options.dead_letter
    local other = name ~= "" and ipcd.find(name)
    if not other or other.type ~= "queue" or other == obj then
        return nil
    elseif obj.lifetime == "durable" and other.lifetime ~= "durable" then
        return nil -- what is there is not to be lost there
    end
    return may_write(obj, other) and other or nil
end

-- Takes another queue's dead item, at the tail, whatever the maxsize. False if it is shut down.
local function receive(obj, item)
    local q = queue.of(obj)
    if q.shut_down then
        return false
    end
    local mine = { value = item.value, deliveries = 0, expires = 0, rank = item.rank }
    if q.options.order == "priority" and mine.rank == "" then
        mine.rank = queue.rank_of_none()
    end
    if q.ready + q.delayed == 0 and mine.rank ~= "" then
        q.rank_kind = mine.rank:byte(1)
    end
    place.enter(obj, q, mine, false)
    obj.unsaved = true
    queue.tell_size(obj, "put")
    queue.changed(obj)
    return true
end

-- Passes on those that have died in this operation.
function queue.pass_on(obj, q)
    local dead = obj.dead
    if not dead then
        return
    end
    obj.dead = nil
    local receiver = receiver_of(obj, q)
    for _, item in ipairs(dead) do
        local is_dropped = not receiver or not receive(receiver, item)
        if is_dropped then
            q.dropped = q.dropped + 1
            obj.unsaved = true
        end
        if obj.watched then
            ipcd.tell(obj, "dead", { pack.pair("dropped", pack.bool(is_dropped)) })
        end
    end
    queue.changed(obj)
end

-- Why a queue of that name may not have that dead letter queue: "itself", "circle", "long"; nil: it
-- may. The last queue of a circle to get its name is the one that closes it, so that there never is
-- one; what is longer than the walk is refused unseen.
local function check(name, dead_letter)
    for i = 0, CHAIN_MAX - 1 do
        if dead_letter == "" then
            return nil
        elseif dead_letter == name then
            return i == 0 and "itself" or "circle"
        end
        local obj = ipcd.find(dead_letter)
        dead_letter = obj and obj.type == "queue" and queue.of(obj).options.dead_letter or ""
    end
    return dead_letter ~= "" and "long" or nil
end

local AT_OPEN = {
    itself = " must name another queue",
    circle = ": dead items would come back to this queue by way of its dead letter queue's own",
    long = ": more than 64 queues would pass on their dead items one to the next",
}

-- The end of the sentence that refuses the option, or nil.
function queue.refuse_dead_letter(name, dead_letter)
    local why = check(name, dead_letter)
    if why then
        return AT_OPEN[why]
    elseif not ipcd.prefix(dead_letter) then
        return ": in a cluster both queues' names must have the same {tag}"
    elseif #dead_letter > 255 then
        return ": a name has at most 255 bytes"
    elseif dead_letter:find("[%z\1-\31\127]") then
        return ": a name has no control characters"
    end
    return nil
end

local AT_RENAME = {
    itself = "it would be its own dead letter queue",
    circle = "its dead items would come back to it by way of other queues",
    long = "its dead items could be passed on more than 64 times",
}

ipcd.types.queue.refuse_name = function(obj, new_name)
    return AT_RENAME[check(new_name, queue.of(obj).options.dead_letter)]
end
