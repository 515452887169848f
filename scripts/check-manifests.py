"""Manifests against published schemas: KUBEFLOW_CRD=CRD.yaml python scripts/check-manifests.py FILE.yaml…

A Job by Kubernetes' OpenAPI schemas, strictly (kubernetes-validate 1.37); a TrainJob by the CRD of Kubeflow Trainer, whose unknown
fields a cluster would drop without a word and which are refused here. KUBEFLOW_CRD names trainer.kubeflow.org_trainjobs.yaml
of it (kubeflow/trainer, manifests/base/crds; as it stood in November 2026).
"""

import os
import sys

import yaml


def strict(schema):
    """Unknown fields are an error."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        closed.setdefault("additionalProperties", False)
    return closed


def check_job(manifest):
    import kubernetes_validate

    for version in ("1.33", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(manifest, version, strict=True)


def check_train_job(manifest):
    import jsonschema

    with open(os.environ["KUBEFLOW_CRD"]) as file:
        [version] = yaml.safe_load(file)["spec"]["versions"]
    schema = strict(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    jsonschema.validate(manifest, schema)


checks = {"Job": check_job, "TrainJob": check_train_job}
wrong = 0
for path in sys.argv[1:]:
    with open(path) as file:
        manifest = yaml.safe_load(file)
    try:
        checks[manifest["kind"]](manifest)
    except Exception as error:  # whichever library it is of
        wrong += 1
        print(f"{path}: {type(error).__name__}: {str(error)[:800]}")
print(f"{len(sys.argv) - 1} manifests, {wrong} that do not fit")
sys.exit(1 if wrong else 0)
