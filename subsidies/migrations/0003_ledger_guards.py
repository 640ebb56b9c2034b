from django.db import migrations

from eduaid.core.database import references, row_policy

# Money is seen where its award is seen. The guards themselves must see everything, whoever writes.
_AWARD = "EXISTS (SELECT 1 FROM subsidies_award a WHERE a.id = award_id)"
_HOLDS_ONE = "EXISTS (SELECT 1 FROM subsidies_award a WHERE a.batch_id = subsidies_aidbatch.id)"
_LINE = "EXISTS (SELECT 1 FROM subsidies_line l WHERE l.entry_id = subsidies_entry.id)"
_NOTICE = "EXISTS (SELECT 1 FROM subsidies_publicnotice n WHERE n.id = notice_id)"
_BATCH = "EXISTS (SELECT 1 FROM subsidies_aidbatch b WHERE b.id = batch_id)"

_GUARDS = """
-- An entry's lines are written by one statement and balance for every award; no account of an award falls below zero, and no more
-- leaves the fund than was approved. The awards are locked first: of two writers the second sees what the first has moved.
CREATE FUNCTION subsidies_line_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE scope text := current_setting('eduaid.scope', true);
BEGIN
    PERFORM set_config('eduaid.scope', '*', true);
    PERFORM 1 FROM subsidies_award a WHERE a.id IN (SELECT award_id FROM added) ORDER BY a.id FOR UPDATE;
    IF EXISTS (SELECT 1 FROM added GROUP BY entry_id, award_id HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'ledger: the lines of an entry do not balance' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'line_balances';
    END IF;
    IF EXISTS (SELECT 1 FROM subsidies_line l WHERE l.entry_id IN (SELECT entry_id FROM added)
            AND NOT EXISTS (SELECT 1 FROM added n WHERE n.id = l.id)) THEN
        RAISE EXCEPTION 'ledger: an entry is written at once' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'line_written_at_once';
    END IF;
    IF EXISTS (SELECT 1 FROM added n JOIN subsidies_entry e ON e.id = n.entry_id JOIN subsidies_account c ON c.id = n.account_id
            JOIN subsidies_award a ON a.id = n.award_id
            WHERE c.programme_id <> e.programme_id OR a.programme_id <> e.programme_id OR a.batch_id <> e.batch_id) THEN
        RAISE EXCEPTION 'ledger: a line belongs to its entry''s programme and batch' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'line_of_its_entry';
    END IF;
    IF EXISTS (
        SELECT 1 FROM subsidies_line l JOIN subsidies_account c ON c.id = l.account_id
            JOIN subsidies_award a ON a.id = l.award_id
        WHERE l.award_id IN (SELECT award_id FROM added) GROUP BY l.award_id, c.place, a.amount
        HAVING CASE WHEN c.place = 'fund' THEN sum(l.amount) > 0 OR -sum(l.amount) > a.amount ELSE sum(l.amount) < 0 END
    ) THEN
        RAISE EXCEPTION 'ledger: more would move than there is' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'line_within_the_award';
    END IF;
    PERFORM set_config('eduaid.scope', coalesce(scope, ''), true);
    RETURN NULL;
END $$;
CREATE TRIGGER line_balances AFTER INSERT ON subsidies_line REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION subsidies_line_balances();

-- At the commit every entry has its lines, and they add up to nothing.
CREATE FUNCTION subsidies_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE scope text := current_setting('eduaid.scope', true); lines bigint; total numeric;
BEGIN
    PERFORM set_config('eduaid.scope', '*', true);
    SELECT count(*), coalesce(sum(amount), 0) INTO lines, total FROM subsidies_line WHERE entry_id = NEW.id;
    PERFORM set_config('eduaid.scope', coalesce(scope, ''), true);
    IF lines < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'ledger: an entry without balance' USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balances';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON subsidies_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION subsidies_entry_balances();

-- A closed term takes no entries. The term is locked, so that a closing waits for entries under way and they for it.
CREATE FUNCTION subsidies_entry_in_open_term() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM core_term WHERE id = NEW.term_id FOR SHARE;
    IF EXISTS (SELECT 1 FROM subsidies_termclosing WHERE term_id = NEW.term_id) THEN
        RAISE EXCEPTION 'ledger: the term is closed' USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_in_open_term';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_in_open_term BEFORE INSERT ON subsidies_entry
    FOR EACH ROW EXECUTE FUNCTION subsidies_entry_in_open_term();
"""
_NO_GUARDS = """
DROP TRIGGER entry_in_open_term ON subsidies_entry;
DROP TRIGGER entry_balances ON subsidies_entry;
DROP TRIGGER line_balances ON subsidies_line;
DROP FUNCTION subsidies_entry_in_open_term();
DROP FUNCTION subsidies_entry_balances();
DROP FUNCTION subsidies_line_balances();
"""


class Migration(migrations.Migration):
    """What the ledger promises, and who sees which money."""

    dependencies = [("subsidies", "0002_batches")]
    operations = [
        migrations.RunSQL(_GUARDS, _NO_GUARDS),
        *references(
            "subsidies_line",
            {"award_id": "subsidies_award"},
        ),
        *references(
            "subsidies_award",
            {
                "batch_id": "subsidies_aidbatch",
                "programme_id": "subsidies_programme",
                "term_id": "core_term",
                "student_id": "students_student",
                "school_id": "core_school",
                "school_town_id": "core_region",
                "hukou_town_id": "core_region",
                "household_id": "students_household",
                "row_id": "core_uploadrow",
            },
        ),
        row_policy("subsidies_award", towns=("school_town_id", "hukou_town_id"), schools=("school_id",)),
        row_policy("subsidies_awardevent", towns=("school_town_id", "hukou_town_id"), schools=("school_id",)),
        row_policy("subsidies_aidbatch", towns=("town_id",), schools=("school_id",), through=_HOLDS_ONE),
        row_policy("subsidies_aidbatchevent", towns=("town_id",), schools=("school_id",)),
        row_policy("subsidies_entry", through=_LINE),
        row_policy("subsidies_line", through=_AWARD),
        row_policy("subsidies_paymentfile", through=_BATCH),
        row_policy("subsidies_paymentfileevent", through=_BATCH),
        row_policy("subsidies_payment", through=_AWARD),
        row_policy("subsidies_paymentevent", through=_AWARD),
        row_policy("subsidies_publicnotice", through=_BATCH),
        row_policy("subsidies_publicnoticeevent", through=_BATCH),
        row_policy("subsidies_objection", through=_NOTICE),
        row_policy("subsidies_objectionevent", through=_NOTICE),
        row_policy("subsidies_loan", towns=("town_id",)),
        row_policy("subsidies_loanevent", towns=("town_id",)),
        row_policy("subsidies_loansnapshot", towns=("town_id",)),
    ]
