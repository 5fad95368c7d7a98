-- Without the last trigger, INSERT OR REPLACE would put one event in the place of another.
CREATE TRIGGER ledger_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER ledger_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER ledger_insert BEFORE INSERT ON ledger WHEN EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq OR id = NEW.id OR reference = NEW.reference)
  BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
