"""The products and customers of Maison Céleste."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SHIPPING = Decimal("4.90")
FREE_SHIPPING_FROM = Decimal(80)


@dataclass(frozen=True, slots=True)
class Product:
    slug: str
    name: str
    kind: str | Promise
    price: Decimal
    text: str | Promise
    details: tuple[str | Promise, ...]

    @property
    def picture(self) -> str:
        return f"demo/{self.slug}.svg"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of the shop, by the id that it would sign for the Messenger (C14)."""

    external_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class CartLine:
    product: Product
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity


@dataclass(frozen=True, slots=True)
class Cart:
    lines: tuple[CartLine, ...]

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def subtotal(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def shipping(self) -> Decimal:
        return Decimal(0) if self.subtotal >= FREE_SHIPPING_FROM else SHIPPING

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.shipping


PRODUCTS = {
    product.slug: product
    for product in (
        Product(
            "lune",
            "Lune",
            _("Table lamp"),
            Decimal("129.00"),
            _("A blown-glass globe on an oak foot. Its light turns warmer as you dim it."),
            (_("Mouth-blown glass, oiled oak"), _("24 cm, 1.4 kg"), _("Two-year guarantee")),
        ),
        Product(
            "aube",
            "Aube",
            _("Scented candle"),
            Decimal("38.00"),
            _("Fig leaf, cedar and a little smoke: the garden just before sunrise."),
            (_("Vegetable wax, cotton wick"), _("Burns for 45 hours"), _("Refill available")),
        ),
        Product(
            "halo",
            "Halo",
            _("Wall mirror"),
            Decimal("210.00"),
            _("A round mirror in a thin ring of brass that catches the evening light."),
            (_("Brushed brass"), _("60 cm across"), _("Hangs on a single nail")),
        ),
        Product(
            "brume",
            "Brume",
            _("Diffuser"),
            Decimal("54.00"),
            _("Stoneware and rattan. White tea and rain, for rooms where one reads."),
            (_("Hand-thrown stoneware"), _("200 ml, about three months"), _("Refill available")),
        ),
        Product(
            "nuage",
            "Nuage",
            _("Wool throw"),
            Decimal("95.00"),
            _("Merino brushed until it weighs nothing, woven in the Pyrenees."),
            (_("100% merino wool"), _("130 by 180 cm"), _("Washes by hand")),
        ),
        Product(
            "constellation",
            "Constellation",
            _("Paper mobile"),
            Decimal("72.00"),
            _("Seven paper stars and a moon, balanced by hand, turning with every door."),
            (_("Cotton paper, brass wire"), _("45 cm across"), _("Arrives assembled")),
        ),
    )
}

CUSTOMERS = {
    customer.external_id: customer
    for customer in (
        Customer("C-1042", "Jeanne Martin", "jeanne.martin@example.com"),
        Customer("C-1077", "Karim Benali", "karim.benali@example.com"),
        Customer("C-1103", "Louise Fontaine", "louise.fontaine@example.com"),
    )
}


def cart_of(quantities: dict[str, int]) -> Cart:
    """Return the cart for a session's quantities by slug."""
    return Cart(
        tuple(
            CartLine(PRODUCTS[slug], quantity)
            for slug, quantity in quantities.items()
            if slug in PRODUCTS and quantity > 0
        )
    )
