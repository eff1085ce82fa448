BEGIN
  DBMS_SCHEDULER.CREATE_JOB(
    job_name => 'PURGE_LOG',
    job_type => 'PLSQL_BLOCK',
    job_action => 'BEGIN pkg.purge; END;',
    repeat_interval => 'FREQ=DAILY; BYHOUR=2',
    enabled => TRUE);
END;
/
