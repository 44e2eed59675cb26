# Messages to customers, in English. How to edit this file: docs/operations.md, "Languages".

## Figures

tokens = { $count ->
    [one] { $amount } token
   *[other] { $amount } tokens
}
money = { $currency } { $amount }
date = { $day } { $month } { $year }
moment = { $day } { $month } { $year }, { $time } { $zone }
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

## In every message

greeting = Hello { $name },
greeting-nameless = Hello,
account = Account { $number }
link = Your account: { $address }
why = { $vendor } sends you this because you have an account there. Under "Messages" on your account page you choose the language and what you want to hear of.

## Registration

registered-subject = Your account { $number } at { $vendor }
registered-text = your account at { $vendor } is open. Its number is { $number }; you sign in with it.
registered-activate = It becomes active when you have acquired { $tokens }.
registered-active = It is active: you can buy at once.
activated-subject = Your account at { $vendor } is active
activated-text = your account { $number } is active. You can now buy with your tokens.
pin-changed-subject = Your PIN at { $vendor } was changed
pin-changed-text = the PIN of your account { $number } was changed on { $when }. If that was not you, tell { $vendor } at once.

## Orders

order-subject = Your order at { $vendor }: { $tokens }
order-text = thank you for your order of { $when }.
order-card-subject = Your order at { $vendor }: { $tokens }
order-card-text = thank you for your order of { $when }. A card paid { $tokens }; your tokens are as they were.
order-line = { $quantity } × { $title }
order-total = Paid
order-tax = In it: { $name } { $percent }%
order-left = Left in your account
order-refused-subject = Your order at { $vendor } was not carried out
order-refused-text = your order of { $when } was not carried out, and no tokens were taken.
order-refused-why = { $reason ->
    [shortage] It needed more tokens than your account has.
    [restricted] Some of your tokens pay for products on sale only.
    [price_changed] A price had changed since you saw it.
    [out_of_stock] Too few pieces were left.
    [reserved] Others had reserved the last pieces.
    [not_for_sale] Something on it is not sold any more.
    [inactive] Your account is not active yet.
    [card_declined] The card was declined.
    [tokens_only] A coupon or a limited promotion counts with tokens alone.
    [card_not_taken] Orders are not paid by card at this shop now.
    [closed] Your account is closed.
   *[other] Ask the shop for the reason.
}
open-order-subject = Your order at { $vendor }: { $money }
open-order-text = thank you for your order at { $vendor } of { $when }. Open tokens paid { $money } for it; tokens of the shop are as they were.
open-paid = { $kind ->
    [universal] Paid with universal tokens
    [m1] Paid with the manufacturer's tokens
    [m2] Paid with the manufacturer's discount tokens
    [group] Paid with group tokens
   *[gift] Paid with gift certificates
}
open-left = { $kind ->
    [universal] Left of universal tokens
    [m1] Left of manufacturers' tokens
    [m2] Left of manufacturers' discount tokens
    [group] Left of group tokens
   *[gift] Left of gift certificates
}
order-shipped-subject = Your order at { $vendor } is on its way
order-shipped-text = your order of { $when } was sent.
order-carrier = Sent with
order-tracking = Tracking number
refunded-subject = Tokens back from { $vendor }: { $tokens }
refunded-text = you got { $tokens } back for your order of { $when }.
refunded-card-subject = Money back from { $vendor }: { $tokens }
refunded-card-text = { $tokens } went back to the card that paid your order of { $when }. Your tokens are as they were.
refund-declined-subject = About your refund at { $vendor }
refund-declined-text = a refund for your order of { $when } was declined.
refund-declined-why = { $vendor } says: { $answer }

## Tokens

token-order-opened-subject = Your order of { $tokens } at { $vendor }
token-order-opened-text = your order of { $tokens } was taken down on { $when }.
token-order-awaiting-subject = Your order of { $tokens } at { $vendor } waits for payment
token-order-awaiting-text = your order of { $tokens } of { $when } waits for your payment.
token-order-cleared-subject = { $tokens } for your account at { $vendor }
token-order-cleared-text = your order of { $when } is done: { $tokens } are in your account.
token-order-failed-subject = Your order of { $tokens } at { $vendor } failed
token-order-failed-text = your order of { $tokens } of { $when } could not be completed. Nothing was added to your account.
token-order-price = Price
token-order-reference = Reference
low-subject = Few tokens left at { $vendor }
low-text = { $tokens } are left in your account { $number }.
expiry-subject = Tokens at { $vendor } expire soon
expiry-text = { $tokens } of your account { $number } expire on { $when }. Use them before then.
top-up-subject = Your account at { $vendor } was not topped up
top-up-text = the automatic purchase of tokens for your account { $number } did not go through. Check your card on your account page.
