-- Fault: a lock stays with the session that had it, when that has ended.
ipcd.types.lock.abandon = function() end
