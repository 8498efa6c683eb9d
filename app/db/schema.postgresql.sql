-- The objects of the tables of this service, each as the statement that creates it, from the catalog that every role can read.
-- The text of a function is as it was written. PostgreSQL generates the other statements.
WITH own AS (
    SELECT c.oid, relname, relnamespace,
        (relkind, relpersistence, relrowsecurity, relforcerowsecurity) IS DISTINCT FROM ('r', 'p', false, false)
        OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent))
        OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgisinternal AND tgenabled <> 'O') AS is_unusual
    FROM pg_class c
    WHERE relname = ANY(:tables) AND pg_table_is_visible(c.oid)
),
defaults AS (
    SELECT adrelid, adnum, pg_get_expr(adbin, adrelid) AS value FROM pg_attrdef
),
definitions AS (
    SELECT attrelid AS table_oid, concat_ws(' ', attname,
        CASE WHEN value = format('nextval(%L::regclass)', relname || '_' || attname || '_seq') THEN 'SERIAL'
            ELSE upper(format_type(atttypid, atttypmod)) END,
        'COLLATE ' || CASE WHEN collname <> 'default' THEN collname END,
        CASE WHEN attgenerated <> '' THEN 'GENERATED ALWAYS AS ' || value || ' STORED'
            WHEN value NOT LIKE 'nextval(%' THEN 'DEFAULT ' || value END,
        CASE WHEN attnotnull THEN 'NOT NULL' END) AS words
    FROM own
    JOIN pg_attribute ON attrelid = own.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    LEFT JOIN defaults ON adrelid = attrelid AND adnum = attnum
    UNION ALL
    SELECT conrelid, concat_ws(' ', 'CONSTRAINT', conname, pg_get_constraintdef(pg_constraint.oid, true))
    FROM own
    JOIN pg_constraint ON conrelid = own.oid AND contype IN ('p', 'u', 'f', 'c', 'x')
)
SELECT 'table', relname, format('CREATE TABLE %s (%s)', relname, string_agg(words, ', '))
    || CASE WHEN is_unusual THEN ' that is no usual table' ELSE '' END
FROM own JOIN definitions ON table_oid = oid
GROUP BY oid, relname, is_unusual
UNION ALL
SELECT 'index', i.relname, pg_get_indexdef(i.oid, 0, true) || CASE WHEN indisvalid THEN '' ELSE ' not valid' END
FROM own JOIN pg_index ON indrelid = own.oid JOIN pg_class i ON i.oid = indexrelid
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.oid AND conrelid = own.oid)
UNION ALL
SELECT 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid, true)
    || CASE WHEN tgenabled = 'O' THEN '' ELSE ' not enabled' END
FROM own JOIN pg_trigger ON tgrelid = own.oid
WHERE NOT tgisinternal
UNION ALL
SELECT 'function', proname, concat_ws(' ', 'CREATE FUNCTION', proname || '() RETURNS trigger LANGUAGE', lanname,
    CASE WHEN prosecdef THEN 'SECURITY DEFINER' END, proconfig::text, 'AS $$' || prosrc || '$$')
FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
WHERE prorettype = 'trigger'::regtype AND pronamespace IN (SELECT relnamespace FROM own)
UNION ALL
SELECT 'rule', rulename, pg_get_ruledef(pg_rewrite.oid) FROM own JOIN pg_rewrite ON ev_class = own.oid
UNION ALL
SELECT 'policy', polname, 'CREATE POLICY' FROM own JOIN pg_policy ON polrelid = own.oid
UNION ALL
SELECT 'statistics', stxname, 'CREATE STATISTICS ' || stxname || substring(pg_get_statisticsobjdef(pg_statistic_ext.oid) FROM ' \(.*')
FROM own JOIN pg_statistic_ext ON stxrelid = own.oid
UNION ALL
SELECT 'setting', name, setting FROM pg_settings WHERE name = 'session_replication_role'
