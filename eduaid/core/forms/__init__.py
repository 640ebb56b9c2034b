"""What people fill in, by noun."""

from .account import InitialPasswordField, PasswordForm, SignInForm
from .lists import CommentForm, SendForm, UndoForm

__all__ = ["CommentForm", "InitialPasswordField", "PasswordForm", "SendForm", "SignInForm", "UndoForm"]
