from airflow import DAG
with DAG("etl", schedule="15 4 * * *") as dag:
    pass
with DAG(dag_id="manual", schedule=None):
    pass
with DAG("day", schedule_interval="@daily"):
    pass
