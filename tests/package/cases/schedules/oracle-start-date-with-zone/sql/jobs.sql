BEGIN
  DBMS_SCHEDULER.CREATE_JOB (
    job_name => 'RELAY.PURGE',
    job_type => 'PLSQL_BLOCK',
    job_action => 'begin relay.purge; end;',
    start_date => TO_TIMESTAMP_TZ('2026-01-01 02:15:00 America/New_York','YYYY-MM-DD HH24:MI:SS TZR'),
    repeat_interval => 'FREQ=WEEKLY;BYDAY=SUN',
    enabled => TRUE);
END;
/
