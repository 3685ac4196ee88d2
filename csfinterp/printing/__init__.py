"""Paper: an interpretation document as a signed laboratory report, a cohort's report; HTML, and PDF with WeasyPrint."""
