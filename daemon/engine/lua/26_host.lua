-- host: the daemons that use the engine, their leases, and giving back for those that are dead.
--
-- In the tag "%hosts": the hash hosts has "HOST/EPOCH" to [until, info, joined, reaper, its time,
-- left]: the lease, which is in every batch of the daemon's too, so that nothing of it is run when
-- it is over, wherever; what it says of itself; when it came; who gives back for it, and until when
-- that one alone does; 1 if it has left. The counter e in n gives epochs, which go up and are those
-- of no daemon before, also if the engine has lost the last ones. The string format is the number
-- of the form in which all keys of the realm are.
--
-- Tests: tests/engine/test_hosts.py.

local FORMAT = 1

local HOST_UNTIL, HOST_INFO, HOST_JOINED, HOST_REAPER, HOST_REAPER_UNTIL, HOST_LEFT =
    1, 2, 3, 4, 5, 6

local function host_read(host)
    local entry = redis.call("HGET", run.prefix .. "hosts", host)
    return entry and cmsgpack.unpack(entry)
end

local function host_save(host, entry)
    redis.call("HSET", run.prefix .. "hosts", host, cmsgpack.pack(entry))
end

-- False if the realm's keys have a newer form than this library knows.
local function knows_format()
    local key = run.prefix .. "format"
    local format = tonumber(redis.call("GET", key) or 0)
    if format == 0 then
        redis.call("SET", key, FORMAT)
    end
    return format <= FORMAT
end

-- A daemon comes: [epoch, until].
ipcd.method("host.join", { changes = true, bare = true }, function(_, lease_ms, info)
    if not knows_format() then
        return nil, "VERSION", "the realm is used by a newer ipcd, which keeps objects in a form " ..
            "that this one does not know"
    end
    local key = run.prefix .. "n"
    local epoch = math.max(tonumber(redis.call("HGET", key, "e") or 0) + 1, run.now)
    redis.call("HSET", key, "e", string.format("%.0f", epoch))
    local wait_until = run.now + tonumber(lease_ms)
    local host = run.host:match("^(.*)/") .. "/" .. string.format("%.0f", epoch)
    host_save(host, { wait_until, info or "", run.now, "", 0, 0 })
    return cmsgpack.pack({ epoch, wait_until })
end)

-- [host, epoch, until] of a host, named "H/E".
local function host_apart(host, entry)
    local name, epoch = host:match("^(.*)/([^/]*)$")
    return { name, tonumber(epoch), entry[HOST_UNTIL] }
end

local function each_host(f)
    local all = redis.call("HGETALL", run.prefix .. "hosts")
    local hosts = {}
    for i = 1, #all, 2 do
        hosts[#hosts + 1] = { all[i], cmsgpack.unpack(all[i + 1]) }
    end
    table.sort(hosts, function(a, b) return a[1] < b[1] end)
    for _, host in ipairs(hosts) do
        f(host[1], host[2])
    end
end

-- The dead hosts for which nobody else gives back just now: that is the caller's for a lease.
local function take_dead(lease_ms)
    local dead = {}
    each_host(function(host, entry)
        local is_dead = entry[HOST_UNTIL] < run.now
        local is_ours = entry[HOST_REAPER] == run.host or entry[HOST_REAPER_UNTIL] < run.now
        if is_dead and is_ours and host ~= run.host then
            entry[HOST_REAPER] = run.host
            entry[HOST_REAPER_UNTIL] = run.now + lease_ms
            host_save(host, entry)
            dead[#dead + 1] = host_apart(host, entry)
        end
    end)
    return dead
end

-- The lease is to last longer: [until, [[host, epoch, until] of those to give back for…]].
ipcd.method("host.renew", { changes = true, bare = true }, function(_, lease_ms)
    local entry = host_read(run.host)
    if not entry or entry[HOST_UNTIL] < run.now or entry[HOST_LEFT] == 1 then
        return nil, "LOST"
    end
    entry[HOST_UNTIL] = run.now + tonumber(lease_ms)
    host_save(run.host, entry)
    return cmsgpack.pack({ entry[HOST_UNTIL], take_dead(tonumber(lease_ms)) })
end)

-- The daemon goes. What it may have left is given back when its lease is over.
ipcd.method("host.leave", { changes = true, bare = true }, function()
    local entry = host_read(run.host)
    if entry then
        entry[HOST_LEFT] = 1
        host_save(run.host, entry)
    end
    return ipcd.pack.nil_
end)

-- All that a dead host had has been given back.
ipcd.method("host.reaped", { changes = true, bare = true }, function(_, name, epoch)
    redis.call("HDEL", run.prefix .. "hosts", name .. "/" .. epoch)
    return ipcd.pack.nil_
end)

-- [[host, epoch, until, info, joined]…], all in milliseconds of the engine's clock.
ipcd.method("host.list", { bare = true }, function()
    local hosts = {}
    each_host(function(host, entry)
        local apart = host_apart(host, entry)
        apart[4], apart[5] = entry[HOST_INFO], entry[HOST_JOINED]
        hosts[#hosts + 1] = apart
    end)
    return cmsgpack.pack(hosts)
end)

-- Giving back, in a tag of objects. `wait_until` is the last lease of the dead host, which counts
-- here by this node's clock too. From then on nothing is taken for proof that it still holds.

local function is_early(host, wait_until)
    if run.now <= tonumber(wait_until) then
        return true
    end
    redis.call("DEL", run.prefix .. "hl:" .. host)
    return false
end

ipcd.method("reap.session", { changes = true, bare = true }, function(_, sid, wait_until)
    if is_early(sid:match("^(.*):"), wait_until) then
        return nil, "NOT_YET"
    end
    session_end(sid)
    return ipcd.pack.nil_
end)

-- Ends the waits of a host here, so that nothing more comes into its outbox.
local function end_waits_of(host)
    for _, key in ipairs(redis.call("HKEYS", run.prefix .. "wd")) do
        local wait = key:match("^(.*)%.") == host and
            wait_read({ key = key, home = run.prefix })
        if wait then
            wait_drop(wait)
        end
    end
end

-- All that a host has here besides its sessions: what it has not acknowledged is put back, the last
-- one first, so that all is in the old order.
ipcd.method("reap.host", { changes = true, bare = true }, function(_, host, wait_until)
    if is_early(host, wait_until) then
        return nil, "NOT_YET"
    end
    end_waits_of(host)
    local entries = redis.call("LRANGE", run.prefix .. "out:" .. host, 0, -1)
    for i = #entries, 1, -1 do
        undo_run(cmsgpack.unpack(entries[i])[4])
    end
    local watched = redis.call("HGETALL", run.prefix .. "hw:" .. host)
    for i = 1, #watched, 2 do
        local obj = ipcd.find_number(run.prefix, watched[i], watched[i + 1])
        if obj then
            unwatch(obj, host)
        end
    end
    for _, part in ipairs({ "out:", "o:", "h:", "hl:", "hw:" }) do
        redis.call("DEL", run.prefix .. part .. host)
    end
    return ipcd.pack.nil_
end)
