from airflow import DAG
DAG("library", schedule="@daily")
