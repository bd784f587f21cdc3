-- mail: what one daemon tells another one by way of the engine: bytes that mean nothing here.
--
-- In the tag "%hosts". A letter is an entry of the receiver's outbox there whose wait is number 0,
-- and comes as every other: once, in order, by a message of its channel or by outbox.fetch, and stays
-- until it is acknowledged. Letters to a daemon that dies go with its outbox.
--
-- Tests: tests/engine/test_mail.py.

-- To "HOST/EPOCH", whose lease is not over.
ipcd.method("mail.send", { changes = true, bare = true }, function(_, to, bytes)
    local entry = host_read(to)
    if not entry or entry[HOST_LEFT] == 1 or entry[HOST_UNTIL] < run.now then
        return nil, "NOT_FOUND", "there is no daemon " .. to .. " now"
    end
    deliver({ key = to .. ".0", home = run.prefix }, bytes or "")
    return ipcd.pack.nil_
end)
