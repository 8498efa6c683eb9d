# Neither Django nor its REST framework has type annotations.
# mypy: disallow-subclassing-any=False
"""A baseline with Django REST Framework, as in its tutorial: two models, two serializers, two viewsets.

Nothing is encrypted. Parts that are not needed (pages, sessions, signing in) are left out. `python -m
bench.django_rest` creates the tables, and gunicorn serves `application`.
"""

import os
import secrets
import uuid

import django
from django.conf import settings

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
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402  # these read the settings when they are imported
from django.db import connection, models  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402


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


class ItemViewSet(viewsets.ModelViewSet):
    """The API to read and write items."""

    queryset = Item.objects.order_by("id")
    serializer_class = ItemSerializer


class ConcernViewSet(viewsets.ModelViewSet):
    """The API to read and write concerns."""

    queryset = Concern.objects.order_by("received_at")
    serializer_class = ConcernSerializer


router = routers.DefaultRouter()
router.register("items", ItemViewSet)
router.register("concerns", ConcernViewSet)
urlpatterns = router.urls
application = get_wsgi_application()

if __name__ == "__main__":
    with connection.schema_editor() as schema:
        schema.create_model(Item)
        schema.create_model(Concern)
