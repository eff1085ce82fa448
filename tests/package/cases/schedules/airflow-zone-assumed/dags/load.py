from airflow import DAG

with DAG("load", schedule="0 2 * * *") as dag:
    pass
