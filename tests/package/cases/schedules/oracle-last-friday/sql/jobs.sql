BEGIN
  DBMS_SCHEDULER.CREATE_JOB (
    job_name => 'RELAY.PURGE',
    job_type => 'PLSQL_BLOCK',
    job_action => 'begin relay.purge; end;',
    repeat_interval => 'freq=monthly; byday=-1FRI; byhour=23; byminute=0',
    enabled => TRUE);
END;
/
