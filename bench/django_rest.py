# Neither Django nor its REST framework has type annotations.
# mypy: disallow-subclassing-any=False
"""Two baselines with Django REST Framework, on one server.

`/concerns/` is as in its tutorial: a model, a serializer and a viewset, and nothing is checked or encrypted.
`/sealed-concerns/` keeps what the floor of a concern keeps (`bench/floor.py`): the same fields are checked by
serializers, the text is encrypted with age, a receipt is signed with Ed25519, and four rows are stored in one
transaction. Parts that are not needed (pages, sessions, signing in) are left out. `python -m bench.django_rest` creates
the tables, and gunicorn serves `application`.
"""

import datetime as dt
import os
import secrets
import types
import uuid
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

import django
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from pydantic import BaseModel
from pyrage import x25519

from app.models.concerns.concern import Concern as Form
from app.models.concerns.status_tokens import new_status_token
from app.models.references import new_reference
from app.services.concerns.receipt_signing import make_receipt_signer
from app.services.concerns.sealing import derive_public_key, make_sealer

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["BENCH_DJANGO_DATABASE"],
            "NAME": "postgres",
            "USER": "postgres",
            "CONN_MAX_AGE": None,  # each thread keeps its connection
        }
    },
    INSTALLED_APPS=["rest_framework"],
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "UNAUTHENTICATED_USER": None,
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    USE_TZ=True,
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402  # these read the settings when they are imported
from django.db import connection, models, transaction  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

SIMPLE = {
    bool: serializers.BooleanField,
    int: serializers.IntegerField,
    dt.date: serializers.DateField,
    dt.datetime: serializers.DateTimeField,
    str: serializers.CharField,
}
REST_OF_A_RECEIPT = "x" * 6000
SEALER = make_sealer([str(x25519.Identity.generate().to_public())])
SIGNER = make_receipt_signer(Ed25519PrivateKey.generate(), issuer="http://127.0.0.1")


class Item(models.Model):
    """One item of a guide."""

    content = models.JSONField()

    class Meta:
        """The app label, which Django needs because this file is not in a Django package."""

        app_label = "guides"


class Concern(models.Model):
    """A stored concern, not encrypted."""

    reference = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    received_at = models.DateTimeField(auto_now_add=True)
    content = models.JSONField()

    class Meta:
        """The app label."""

        app_label = "concerns"


def _table_of_sealed(name: str) -> Any:
    """Return a model with the columns of a row of the floor."""
    columns = {
        "reference": models.CharField(primary_key=True, max_length=20),
        "at": models.DateTimeField(),
        "sealed": models.BinaryField(),
        "key": models.BinaryField(),
        "Meta": type("Meta", (), {"app_label": "sealed"}),
        "__module__": __name__,
    }
    return type(name, (models.Model,), columns)


SEALED_TABLES = [_table_of_sealed(name) for name in ("SealedConcern", "AuditEntry", "Chain", "Event")]


class ItemSerializer(serializers.ModelSerializer):
    """The JSON of an item."""

    class Meta:
        """The serialized fields."""

        model = Item
        fields = ("id", "content")


class ConcernSerializer(serializers.ModelSerializer):
    """The JSON of a concern."""

    class Meta:
        """The serialized fields."""

        model = Concern
        fields = ("reference", "received_at", "content")


class Strict(serializers.Serializer):
    """A serializer that refuses unknown fields, as the form of a concern does."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the checked values. Raise `ValidationError` for an unknown field."""
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError(dict.fromkeys(unknown, "This field is unknown."))
        return super().to_internal_value(data)


def serializer_of(form: type[BaseModel]) -> type[Strict]:
    """Return a serializer with the fields of `form`, and of the forms inside, by their types."""
    fields = {
        name: _field_of(field.annotation, required=field.is_required()) for name, field in form.model_fields.items()
    }
    return type(form.__name__, (Strict,), fields)


def _field_of(annotation: Any, **options: Any) -> Any:
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind is Annotated:
        return _field_of(inner[0], **options)
    if kind in (Union, types.UnionType):
        one = [each for each in inner if each is not type(None)]
        return _field_of(one[0], **options, allow_null=True) if len(one) == 1 else serializers.JSONField(**options)
    if kind in (list, tuple):
        return serializers.ListField(child=_field_of(inner[0]), **options)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return serializer_of(annotation)(**options)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return serializers.ChoiceField([each.value for each in annotation], **options)
    return SIMPLE.get(annotation, serializers.JSONField)(**options)


FormSerializer = serializer_of(Form)


class ItemViewSet(viewsets.ModelViewSet):
    """The API to read and write items."""

    queryset = Item.objects.order_by("id")
    serializer_class = ItemSerializer


class ConcernViewSet(viewsets.ModelViewSet):
    """The API to read and write concerns."""

    queryset = Concern.objects.order_by("received_at")
    serializer_class = ConcernSerializer


class SealedConcerns(APIView):
    """The API to raise a concern that is checked, encrypted, signed and stored in four rows."""

    def post(self, request: Any) -> Response:
        """Store the concern, and return its reference and signed receipt."""
        FormSerializer(data=request.data).is_valid(raise_exception=True)
        reference, token, submitted = new_reference(), new_status_token(), orjson.dumps(request.data)
        receipt = SIGNER.sign({"jti": reference, "iat": 1})
        values = {"at": dt.datetime.now(dt.UTC), "sealed": SEALER.seal(submitted)}
        values["key"] = derive_public_key(token, reference)
        with transaction.atomic():
            for table in SEALED_TABLES:
                table.objects.create(reference=reference, **values)
        return Response({"reference": reference, "receipt": receipt, "rest": REST_OF_A_RECEIPT}, status=201)


router = routers.DefaultRouter()
router.register("items", ItemViewSet)
router.register("concerns", ConcernViewSet)
urlpatterns = [path("sealed-concerns/", SealedConcerns.as_view()), *router.urls]
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as schema:
        for each in (Item, Concern, *SEALED_TABLES):
            schema.create_model(each)
