# Nachrichten an Kunden, auf Deutsch. Zum Bearbeiten: docs/operations.md, "Languages".

## Zahlen

tokens = { $count ->
    [one] { $amount } Token
   *[other] { $amount } Tokens
}
money = { $amount } { $currency }
date = { $day }. { $month } { $year }
moment = { $day }. { $month } { $year }, { $time } Uhr ({ $zone })
month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember

## In jeder Nachricht

greeting = Guten Tag { $name },
greeting-nameless = Guten Tag,
account = Konto { $number }
link = Ihr Konto: { $address }
why = Sie bekommen diese Nachricht von { $vendor }, weil Sie dort ein Konto haben. Auf Ihrer Kontoseite wählen Sie unter „Messages“ die Sprache und was Sie erfahren möchten.

## Anmeldung

registered-subject = Ihr Konto { $number } bei { $vendor }
registered-text = Ihr Konto bei { $vendor } ist eröffnet. Es hat die Nummer { $number }, mit der Sie sich anmelden.
registered-activate = Es wird aktiv, sobald Sie { $tokens } erworben haben.
registered-active = Es ist aktiv: Sie können sofort einkaufen.
activated-subject = Ihr Konto bei { $vendor } ist aktiv
activated-text = Ihr Konto { $number } ist aktiv. Sie können jetzt mit Ihren Tokens einkaufen.
pin-changed-subject = Ihre PIN bei { $vendor } wurde geändert
pin-changed-text = die PIN Ihres Kontos { $number } wurde geändert: { $when }. Wenn Sie das nicht waren, sagen Sie es { $vendor } sofort.

## Bestellungen

order-subject = Ihre Bestellung bei { $vendor }: { $tokens }
order-text = vielen Dank für Ihre Bestellung vom { $when }.
order-card-subject = Ihre Bestellung bei { $vendor }: { $tokens }
order-card-text = vielen Dank für Ihre Bestellung vom { $when }. Mit der Karte wurden { $tokens } bezahlt; Ihre Tokens sind unverändert.
order-line = { $quantity } × { $title }
order-total = Bezahlt
order-tax = Darin { $name } { $percent } %
order-left = Noch auf Ihrem Konto
order-refused-subject = Ihre Bestellung bei { $vendor } wurde nicht ausgeführt
order-refused-text = Ihre Bestellung vom { $when } wurde nicht ausgeführt. Es wurden keine Tokens abgebucht.
order-refused-why = { $reason ->
    [shortage] Sie hätte mehr Tokens gekostet, als auf Ihrem Konto sind.
    [restricted] Einige Ihrer Tokens gelten nur für reduzierte Produkte.
    [price_changed] Ein Preis hatte sich inzwischen geändert.
    [out_of_stock] Es waren nicht mehr genug Stück da.
    [reserved] Andere hatten die letzten Stücke reserviert.
    [not_for_sale] Etwas davon wird nicht mehr verkauft.
    [inactive] Ihr Konto ist noch nicht aktiv.
    [card_declined] Die Karte wurde abgelehnt.
    [tokens_only] Ein Gutschein oder eine begrenzte Aktion gilt nur mit Tokens.
    [card_not_taken] Bestellungen werden in diesem Shop zurzeit nicht mit der Karte bezahlt.
    [closed] Ihr Konto ist geschlossen.
   *[other] Den Grund sagt Ihnen der Shop.
}
open-order-subject = Ihre Bestellung bei { $vendor }: { $money }
open-order-text = vielen Dank für Ihre Bestellung bei { $vendor } vom { $when }. Offene Tokens haben { $money } dafür bezahlt; Tokens des Geschäfts sind unverändert.
open-paid = { $kind ->
    [universal] Bezahlt mit Universal-Tokens
    [m1] Bezahlt mit Tokens des Herstellers
    [m2] Bezahlt mit Rabatt-Tokens des Herstellers
    [group] Bezahlt mit Gruppen-Tokens
   *[gift] Bezahlt mit Geschenkgutscheinen
}
open-left = { $kind ->
    [universal] Noch da an Universal-Tokens
    [m1] Noch da an Tokens von Herstellern
    [m2] Noch da an Rabatt-Tokens von Herstellern
    [group] Noch da an Gruppen-Tokens
   *[gift] Noch da an Geschenkgutscheinen
}
order-shipped-subject = Ihre Bestellung bei { $vendor } ist unterwegs
order-shipped-text = Ihre Bestellung vom { $when } wurde verschickt.
order-carrier = Verschickt mit
order-tracking = Sendungsnummer
refunded-subject = Tokens zurück von { $vendor }: { $tokens }
refunded-text = Sie haben { $tokens } für Ihre Bestellung vom { $when } zurückbekommen.
refunded-card-subject = Geld zurück von { $vendor }: { $tokens }
refunded-card-text = { $tokens } gehen zurück auf die Karte, die Ihre Bestellung vom { $when } bezahlt hat. Ihre Tokens sind unverändert.
refund-declined-subject = Zu Ihrer Rückgabe bei { $vendor }
refund-declined-text = eine Erstattung für Ihre Bestellung vom { $when } wurde abgelehnt.
refund-declined-why = { $vendor } schreibt dazu: { $answer }

## Tokens

token-order-opened-subject = Ihre Bestellung von { $tokens } bei { $vendor }
token-order-opened-text = Ihre Bestellung von { $tokens } ist aufgenommen: { $when }.
token-order-awaiting-subject = Ihre Bestellung von { $tokens } bei { $vendor } wartet auf Zahlung
token-order-awaiting-text = Ihre Bestellung von { $tokens } vom { $when } wartet auf Ihre Zahlung.
token-order-cleared-subject = { $tokens } für Ihr Konto bei { $vendor }
token-order-cleared-text = Ihre Bestellung vom { $when } ist erledigt: { $tokens } sind auf Ihrem Konto.
token-order-failed-subject = Ihre Bestellung von { $tokens } bei { $vendor } ist gescheitert
token-order-failed-text = Ihre Bestellung von { $tokens } vom { $when } konnte nicht abgeschlossen werden. Ihrem Konto wurde nichts gutgeschrieben.
token-order-price = Preis
token-order-reference = Referenz
low-subject = Wenige Tokens übrig bei { $vendor }
low-text = auf Ihrem Konto { $number } sind noch { $tokens }.
expiry-subject = Tokens bei { $vendor } verfallen bald
expiry-text = { $tokens } Ihres Kontos { $number } verfallen: { $when }. Nutzen Sie sie vorher.
top-up-subject = Ihr Konto bei { $vendor } wurde nicht aufgeladen
top-up-text = der automatische Kauf von Tokens für Ihr Konto { $number } hat nicht geklappt. Prüfen Sie Ihre Karte auf der Kontoseite.
