"""What is asked before a report is taken back."""

from django import forms


class WithdrawForm(forms.Form):
    reason = forms.CharField(label="撤回原因", max_length=200, widget=forms.Textarea(attrs={"rows": 3}))
