BEGIN
  DBMS_SCHEDULER.CREATE_JOB (
    job_name => 'RELAY.PURGE',
    job_type => 'PLSQL_BLOCK',
    job_action => 'begin relay.purge; end;',
    repeat_interval => 'FREQ=DAILY;BYHOUR=4;BYMINUTE=30;BYSECOND=0',
    enabled => TRUE);
END;
/
