-- condition: those who sleep until somebody notifies them, under a mutex; daemon/objects/condition.h has
-- what that means, and the states of a call that waits.
--
-- The mutex is one of the condition's own, the fields of ipcd.mutex; or that of a lock, then the field
-- `number` has the lock's number and `lock` the name that it had when the condition was made, or was
-- deleted. `sleepers` is how many calls are asleep, `notified` how many of these are to wake up now. A
-- call that waits notes its state, "A" asleep, "N" notified or "E" expired, and the depth that it has to
-- get back: asleep it stands on the condition's channel "sleepers", else on the channel of the mutex.
--
-- Tests: tests/engine/test_condition.py.

local pack = ipcd.pack
local mutex = ipcd.mutex
local condition = { sleepers = "sleepers" }

local function number(obj, field)
    return tonumber(obj.meta[field]) or 0
end

local function has_lock(obj)
    return (obj.meta.number or "") ~= ""
end

-- The lock that it goes by; nil: it has one of its own, or its lock has been deleted.
local function lock_of(obj)
    return has_lock(obj) and ipcd.find_number(obj.prefix, obj.meta.number, obj.meta.lock) or nil
end

-- The object whose mutex it goes by: itself or its lock; nil: that was deleted.
local function mutex_object(obj)
    if has_lock(obj) then
        return lock_of(obj)
    end
    return obj
end

local function tell(obj, event, name, count)
    if obj.watched then
        ipcd.tell(obj, event, { pack.pair(name, pack.int(count)) })
    end
end

-- Sleeping.

local function fall_asleep(obj)
    obj:set("sleepers", number(obj, "sleepers") + 1)
    tell(obj, "wait", "sleepers", number(obj, "sleepers"))
end

-- True if the sleeper that asks is notified, and then it no longer sleeps.
local function wake(obj)
    local notified = number(obj, "notified")
    if notified == 0 then
        return false
    end
    obj:set("notified", notified - 1, "sleepers", number(obj, "sleepers") - 1)
    return true
end

-- A sleeper's time is up, or it goes.
local function expire(obj)
    local sleepers = number(obj, "sleepers") - 1
    obj:set("sleepers", sleepers, "notified", math.min(number(obj, "notified"), sleepers))
end

-- Notifies up to n sleepers that are not notified yet; returns how many.
local function notify(obj, n)
    local notified = number(obj, "notified")
    local woken = math.min(n, number(obj, "sleepers") - notified)
    if woken > 0 then
        obj:set("notified", notified + woken)
        tell(obj, "notify", "woken", woken)
        ipcd.changed(obj)
    end
    return woken
end

-- The type.

ipcd.types.condition = {
    fields = mutex.fields("lock", "number", "sleepers", "notified"),
    parts = {},
    channels = { mutex.channel, condition.sleepers },
    abandon = mutex.abandon,
    claims = mutex.claims,
}

-- What is not given is "", or, behind the last that is, nil.
local function is_given(value)
    return value ~= nil and value ~= ""
end

-- The lock, which the caller needs a right to.
function ipcd.types.condition.also(obj, lock)
    if obj then
        return lock_of(obj)
    end
    return is_given(lock) and ipcd.find(lock, "lock") or nil
end

local function find_lock(obj, name)
    local shown = string.sub(name, 1, 255)
    if ipcd.tag(name) ~= ipcd.tag(obj.name) then
        return nil, "UNSUPPORTED",
               string.format('condition.open: the lock "%s" has another hash tag than "%s", and lives elsewhere',
                             shown, obj.name)
    end
    local lock = ipcd.find(name, "lock")
    if not lock then
        return nil, "NOT_FOUND",
               string.format('condition.open: there is no object "%s"; option lock must be the name of a lock',
                             shown)
    end
    if lock.type ~= "lock" then
        local article = string.find(lock.type, "^[aeiou]") and "an" or "a"
        return nil, "WRONG_TYPE",
               string.format('condition.open: "%s" is %s %s; option lock must be the name of a lock', shown,
                             article, lock.type)
    end
    return lock
end

function ipcd.types.condition.create(obj, lock_name)
    if not is_given(lock_name) then
        obj:set("flags", "r")
        return true
    end
    local lock, code, text = find_lock(obj, lock_name)
    if not lock then
        return nil, code, text
    end
    redis.call("HSET", lock:key("conditions"), obj.number, obj.name)
    ipcd.depend(lock, 1)
    obj:set("flags", "r", "lock", lock_name, "number", lock.number)
    return true
end

-- The name of its lock, or of the one that was deleted; nil: it has one of its own.
local function lock_name_of(obj)
    local lock = lock_of(obj)
    return lock and lock.name or has_lock(obj) and obj.meta.lock or nil
end

function ipcd.types.condition.differs(obj, lock_name)
    return is_given(lock_name) and lock_name ~= lock_name_of(obj) and "lock" or nil
end

function ipcd.types.condition.describe(obj)
    local lock = lock_name_of(obj)
    -- Nobody holds a lock that was deleted, nor the condition's own beside it.
    local count, packed = mutex.describe(mutex_object(obj) or obj)
    return 2 + count, pack.pair("lock", lock and pack.str(lock) or pack.nil_) ..
               pack.pair("sleepers", pack.int(number(obj, "sleepers"))) .. packed
end

-- A notification goes to somebody who sleeps, or there is nobody to whom it could matter.
function ipcd.types.condition.wait_ended(obj, wait)
    local state = string.sub(wait.progress or "", 1, 1)
    if state == "A" then
        expire(obj)
    elseif state == "N" then
        notify(obj, 1)
    end
end

function ipcd.types.condition.deleted(obj)
    mutex.deleted(obj)
    local lock = lock_of(obj)
    if lock then
        redis.call("HDEL", lock:key("conditions"), obj.number)
        ipcd.end_waits_elsewhere(lock, obj)
        ipcd.depend(lock, -1)
    end
end

-- Its lock is being deleted: those who wait are told, and it is of no more use.
function ipcd.types.condition.orphan(obj, lock)
    ipcd.end_waits(obj)
    obj:set("lock", lock.name, "sleepers", 0, "notified", 0)
end

-- The methods.

-- The object with the mutex; or nil and the refusal.
local function find_mutex(method, obj)
    local found = mutex_object(obj)
    if found then
        return found
    end
    return nil, "NOT_FOUND", string.format('%s: the lock "%s" of the condition "%s" has been deleted', method,
                                           lock_name_of(obj), obj.name)
end

-- The same, and the caller has to hold it.
local function find_held_mutex(call, method, owner)
    owner = owner or ""
    local found, code, text = find_mutex(method, call.obj)
    if not found then
        return nil, code, text
    end
    local is_right
    is_right, code, text = mutex.check_owner(method, owner)
    if not is_right then
        return nil, code, text
    end
    if not mutex.held_by(found, call.sid, owner) then
        return mutex.refuse(call, method, found)
    end
    return found
end

ipcd.method("condition.acquire", { waits = true, changes = true }, function(call, timeout, owner)
    local found, code, text = find_mutex("condition.acquire", call.obj)
    if not found then
        return nil, code, text
    end
    return mutex.acquire(call, "condition.acquire", found, timeout, owner)
end)

ipcd.method("condition.release", { changes = true }, function(call, owner)
    local found, code, text = find_mutex("condition.release", call.obj)
    if not found then
        return nil, code, text
    end
    return mutex.release(call, "condition.release", found, owner)
end)

-- Goes to sleep: the mutex is given up when nothing can refuse the call any more.
local function begin_wait(call, timeout, owner)
    local found, code, text = find_held_mutex(call, "condition.wait", owner)
    if not found then
        return nil, code, text
    end
    local depth = mutex.depth(found)
    call.progress = "A" .. depth
    local waits = ipcd.wait(call, condition.sleepers, timeout or "", "TIMEOUT")
    if not waits then
        return pack.bool(false)
    end
    fall_asleep(call.obj)
    mutex.give_up(found, depth)
    return waits
end

-- Goes from sleeping to the queue of the mutex, if it is time.
local function wake_up(call, depth, timeout)
    local obj = call.obj
    local state = "N"
    if not wake(obj) then
        if not call.timed_out then
            return ipcd.wait(call, condition.sleepers, timeout or "", "TIMEOUT")
        end
        expire(obj)
        state = "E"
    end
    call.progress = state .. depth
    return ipcd.move(call, mutex_object(obj), mutex.channel)
end

-- Holds the mutex again as it did before, if it is free.
local function resume(call, state, depth, owner)
    local found = mutex_object(call.obj)
    if mutex.depth(found) > 0 then
        return ipcd.wait(call, mutex.channel, "", "TIMEOUT")
    end
    mutex.take(call, found, owner or "", depth)
    return pack.bool(state == "N")
end

ipcd.method("condition.wait", { waits = true, changes = true }, function(call, timeout, owner)
    if not call.waited then
        return begin_wait(call, timeout, owner)
    end
    local state, depth = string.match(call.progress, "^(%a)(%d+)$")
    if state == "A" then
        return wake_up(call, tonumber(depth), timeout)
    end
    return resume(call, state, tonumber(depth), owner)
end)

local function answer_notify(call, method, n, owner)
    local found, code, text = find_held_mutex(call, method, owner)
    if not found then
        return nil, code, text
    end
    return pack.int(notify(call.obj, n))
end

ipcd.method("condition.notify", { changes = true }, function(call, n, owner)
    return answer_notify(call, "condition.notify", tonumber(n or "") or 1, owner)
end)

ipcd.method("condition.notify_all", { changes = true }, function(call, owner)
    return answer_notify(call, "condition.notify_all", math.huge, owner)
end)
